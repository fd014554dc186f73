package io.guilomo.kernel;

import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The memory of the host, and access to the arrays in it. */
public abstract class HostOperations implements Device {
  /** Types of matrices that are only read. */
  public static final List<DataType> FROZEN_TYPES =
      List.of(DataType.FLOAT, DataType.BFLOAT16, DataType.HALF);

  @Override
  public void accuracy(Kernels.Accuracy accuracy) {
    // Activations are never rounded.
  }

  @Override
  public String memory() {
    return HOST;
  }

  @Override
  public String productLibrary() {
    return String.valueOf(Nd4j.getNDArrayFactory().blas().getBlasVendor());
  }

  @Override
  public INDArray allocate(DataType type, long length) {
    if (type != DataType.DOUBLE && type != DataType.BYTE && !FROZEN_TYPES.contains(type)) {
      throw new IllegalArgumentException("Cannot compute with " + type);
    }
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      return Nd4j.createUninitialized(type, length);
    }
  }

  @Override
  public boolean keepsHalf() {
    return true;
  }

  @Override
  public FrozenMatrix frozen(DataType type, long rows, long columns) {
    return type == DataType.BYTE
        ? new QuantizedMatrix(this, rows, columns)
        : Device.super.frozen(type, rows, columns);
  }

  @Override
  public void release(FrozenMatrix matrix) {
    // The garbage collector frees it.
  }

  @Override
  public void release(INDArray array) {
    // The garbage collector frees it once no view of it is left.
  }

  @Override
  public void write(float[] source, INDArray target) {
    if (target.dataType() == DataType.FLOAT) {
      set(target, source);
    } else {
      int count = (int) target.length();
      short[] narrowed = new short[count];
      NarrowFloats.round(source, target.dataType(), narrowed);
      new ShortPointer(target.data().addressPointer()).put(narrowed, 0, count);
    }
  }

  @Override
  public void read(INDArray source, float[] target) {
    floats(source).get(target, 0, (int) source.length());
  }

  @Override
  public void read(INDArray source, double[] target) {
    doubles(source).get(target, 0, (int) source.length());
  }

  @Override
  public void fill(INDArray target, double value) {
    target.assign(value);
  }

  @Override
  public ExpertChoice choice(int length) {
    return new HostChoice(length);
  }

  @Override
  public void release(ExpertChoice choice) {
    // The garbage collector frees it.
  }

  @Override
  public void finish() {
    // Operations have finished when they return.
  }

  static void set(INDArray target, float[] values) {
    floats(target).put(values, 0, (int) target.length());
    Nd4j.getAffinityManager().tagLocation(target, Location.HOST);
  }

  static float[] values(INDArray array) {
    float[] values = new float[Math.toIntExact(array.length())];
    floats(array).get(values);
    return values;
  }

  /** Adds to the totals of {@link LayerKernels#crossEntropy}. */
  public static void add(INDArray totals, double loss, long hits) {
    double[] sums = new double[2];
    doubles(totals).get(sums);
    put(totals, sums[0] + loss, sums[1] + hits);
  }

  /** Sets the first elements of an array of {@link DataType#DOUBLE}. */
  public static void put(INDArray target, double... values) {
    doubles(target).put(values);
    Nd4j.getAffinityManager().tagLocation(target, Location.HOST);
  }

  public static FloatPointer floats(INDArray array) {
    Nd4j.getAffinityManager().ensureLocation(array, Location.HOST);
    return new FloatPointer(array.data().addressPointer());
  }

  private static DoublePointer doubles(INDArray array) {
    Nd4j.getAffinityManager().ensureLocation(array, Location.HOST);
    return new DoublePointer(array.data().addressPointer());
  }
}
