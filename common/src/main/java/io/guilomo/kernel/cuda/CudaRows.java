package io.guilomo.kernel.cuda;

import io.guilomo.kernel.RowKernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations that go row by row: copies, sums and pooling. */
record CudaRows(CudaCard card) implements RowKernels {

  private static final int ROWS_OF_SUM = 128;

  @Override
  public void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    synchronized (card.stream()) {
      boolean narrow = table.dataType() == DataType.BFLOAT16;
      card.launch("rows", narrow ? "gather_rows_bf16" : "gather_rows")
          .matrix(table)
          .address(card.indices().of(rows))
          .integer(rows.length, (int) result.size(1))
          .matrix(result)
          .flag(accumulate)
          .rows(rows.length, result.size(1));
    }
  }

  @Override
  public void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    scatter(source, rows, result, true);
  }

  @Override
  public void scatterRows(INDArray source, int[] rows, INDArray result) {
    scatter(source, rows, result, false);
  }

  private void scatter(INDArray source, int[] rows, INDArray result, boolean accumulate) {
    synchronized (card.stream()) {
      card.launch("rows", "scatter_rows")
          .matrix(source)
          .address(card.indices().of(rows))
          .integer(rows.length, (int) source.size(1))
          .matrix(result)
          .flag(accumulate)
          .rows(rows.length, source.size(1));
    }
  }

  @Override
  public void copy(INDArray source, INDArray target) {
    synchronized (card.stream()) {
      if (source.rank() != 2 || target.rank() != 2) {
        card.stream()
            .copy(
                DeviceArrays.address(source),
                DeviceArrays.address(target),
                source.length() * source.dataType().width());
        return;
      }
      card.launch("rows", "copy_rows")
          .matrix(source)
          .integer((int) source.size(0), (int) source.size(1))
          .matrix(target)
          .rows(source.size(0), source.size(1));
    }
  }

  @Override
  public void addBias(INDArray y, INDArray bias) {
    synchronized (card.stream()) {
      card.launch("rows", "add_bias")
          .matrix(y)
          .integer((int) y.size(0), (int) y.size(1))
          .vector(bias)
          .rows(y.size(0), y.size(1));
    }
  }

  @Override
  public void meanPool(INDArray x, int[] starts, INDArray result) {
    pool("mean_pool", x, starts, result);
  }

  @Override
  public void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    pool("mean_pool_backward", gradient, starts, result);
  }

  private void pool(String kernel, INDArray from, int[] starts, INDArray to) {
    synchronized (card.stream()) {
      card.launch("rows", kernel)
          .matrix(from)
          .address(card.indices().of(starts))
          .integer(starts.length - 1, (int) to.size(1))
          .matrix(to)
          .rows(starts.length - 1L, to.size(1));
    }
  }

  @Override
  public void columnSums(INDArray x, INDArray result) {
    synchronized (card.stream()) {
      int columns = (int) x.size(1);
      int parts = (int) ((x.size(0) + ROWS_OF_SUM - 1) / ROWS_OF_SUM);
      long partial =
          card.scratch().of(DeviceScratch.Use.PARTIAL_SUMS, (long) parts * columns * Double.BYTES);
      card.launch("rows", "column_sums")
          .matrix(x)
          .integer((int) x.size(0), columns)
          .address(partial)
          .blockPerRow(parts);
      columnTotals(partial, parts, columns, result, null);
    }
  }

  /**
   * Adds partial sums of columns.
   *
   * @param result of 32 bits, or null
   * @param result64 of 64 bits, or null
   */
  void columnTotals(long partial, int parts, int columns, INDArray result, INDArray result64) {
    card.launch("rows", "column_totals")
        .address(partial)
        .integer(parts, columns)
        .vector(result, result64)
        .elements(columns, columns);
  }
}
