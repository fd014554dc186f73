package io.guilomo.kernel.cuda;

import io.guilomo.kernel.DropoutMask;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations that go row by row: copies, norms, activations, dropout and rotation. */
final class CudaRows {
  private static final int ROWS_OF_SUM = 128;

  /** That a thread of dropout takes together. */
  private static final int ROWS_OF_THREAD = 4;

  private final KernelLaunch launch;
  private final DeviceIndices indices;
  private final DeviceScratch scratch;

  CudaRows(KernelLaunch launch, DeviceIndices indices, DeviceScratch scratch) {
    this.launch = launch;
    this.indices = indices;
    this.scratch = scratch;
  }

  void gather(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    boolean narrow = table.dataType() == DataType.BFLOAT16;
    long at = indices.of(rows);
    launch
        .of("rows", narrow ? "gather_rows_bf16" : "gather_rows")
        .matrix(table)
        .address(at)
        .integer(rows.length)
        .integer((int) result.size(1))
        .matrix(result)
        .flag(accumulate)
        .rows(rows.length, result.size(1));
  }

  void scatter(INDArray source, int[] rows, INDArray result, boolean accumulate) {
    long at = indices.of(rows);
    launch
        .of("rows", "scatter_rows")
        .matrix(source)
        .address(at)
        .integer(rows.length)
        .integer((int) source.size(1))
        .matrix(result)
        .flag(accumulate)
        .rows(rows.length, source.size(1));
  }

  void copy(INDArray source, INDArray target) {
    launch
        .of("rows", "copy_rows")
        .matrix(source)
        .integer((int) source.size(0))
        .integer((int) source.size(1))
        .matrix(target)
        .rows(source.size(0), source.size(1));
  }

  void addBias(INDArray y, INDArray bias) {
    launch
        .of("rows", "add_bias")
        .matrix(y)
        .integer((int) y.size(0))
        .integer((int) y.size(1))
        .vector(bias)
        .rows(y.size(0), y.size(1));
  }

  void meanPool(INDArray x, int[] starts, INDArray result) {
    pool("mean_pool", x, starts, result, result.size(1));
  }

  void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    pool("mean_pool_backward", gradient, starts, result, result.size(1));
  }

  private void pool(String kernel, INDArray from, int[] starts, INDArray to, long columns) {
    long at = indices.of(starts);
    launch
        .of("rows", kernel)
        .matrix(from)
        .address(at)
        .integer(starts.length - 1)
        .integer((int) columns)
        .matrix(to)
        .rows(starts.length - 1L, columns);
  }

  void columnSums(INDArray x, INDArray result) {
    int columns = (int) x.size(1);
    int parts = (int) ((x.size(0) + ROWS_OF_SUM - 1) / ROWS_OF_SUM);
    long partial =
        scratch.of(DeviceScratch.Use.PARTIAL_SUMS, (long) parts * columns * Double.BYTES);
    launch
        .of("rows", "column_sums")
        .matrix(x)
        .integer((int) x.size(0))
        .integer(columns)
        .address(partial)
        .blockPerRow(parts);
    columnTotals(partial, parts, columns, result, null);
  }

  /**
   * Adds partial sums of columns.
   *
   * @param result of 32 bits, or null
   * @param result64 of 64 bits, or null
   */
  void columnTotals(long partial, int parts, int columns, INDArray result, INDArray result64) {
    launch
        .of("rows", "column_totals")
        .address(partial)
        .integer(parts)
        .integer(columns)
        .vector(result)
        .vector(result64)
        .elements(columns, columns);
  }

  void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    launch
        .of("norms", "rms_norm")
        .matrix(x)
        .vector(weight)
        .real(epsilon)
        .integer((int) x.size(1))
        .matrix(y)
        .vector(inverseRms)
        .blockPerRow(x.size(0));
  }

  void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    launch
        .of("norms", "rms_norm_backward")
        .matrix(dy)
        .matrix(x)
        .vector(weight)
        .vector(inverseRms)
        .integer((int) x.size(1))
        .matrix(dx)
        .blockPerRow(x.size(0));
  }

  void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    launch
        .of("norms", "layer_norm")
        .matrix(x)
        .vector(weight)
        .vector(bias)
        .real(epsilon)
        .integer((int) x.size(1))
        .matrix(y)
        .vector(mean)
        .vector(inverseDeviation)
        .blockPerRow(x.size(0));
  }

  void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    launch
        .of("norms", "layer_norm_backward")
        .matrix(dy)
        .matrix(x)
        .vector(weight)
        .vector(mean)
        .vector(inverseDeviation)
        .integer((int) x.size(1))
        .matrix(dx)
        .blockPerRow(x.size(0));
  }

  /** An activation of {@code columns} of each row: {@code swiglu} or {@code gelu}. */
  void activate(String kernel, INDArray x, INDArray y) {
    launch
        .of("activations", kernel)
        .matrix(x)
        .integer((int) y.size(0))
        .integer((int) y.size(1))
        .matrix(y)
        .rows(y.size(0), y.size(1));
  }

  void activateBackward(String kernel, INDArray dy, INDArray x, INDArray dx) {
    launch
        .of("activations", kernel)
        .matrix(dy)
        .matrix(x)
        .integer((int) dy.size(0))
        .integer((int) dy.size(1))
        .matrix(dx)
        .rows(dy.size(0), dy.size(1));
  }

  void dropout(INDArray x, DropoutMask mask, INDArray y, boolean accumulate) {
    launch
        .of("activations", "dropout")
        .matrix(x)
        .integer((int) x.size(0))
        .integer((int) x.size(1))
        .address(mask.seed())
        .integer(mask.firstRow())
        .integer((int) mask.threshold())
        .real(mask.factor())
        .matrix(y)
        .flag(accumulate)
        .rows((x.size(0) + ROWS_OF_THREAD - 1) / ROWS_OF_THREAD, x.size(1));
  }

  void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    long at = indices.of(positions);
    launch
        .of("rotation", "rotate")
        .matrix(x)
        .address(at)
        .integer(positions.length)
        .integer(heads)
        .integer((int) cosine.size(1))
        .vector(cosine)
        .vector(sine)
        .real(backward ? -1 : 1)
        .rows(x.size(0), x.size(1) / 2);
  }
}
