package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.atLeast;
import static io.guilomo.kernel.KernelArguments.contiguous;
import static io.guilomo.kernel.KernelArguments.vector;

import java.util.List;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Checks every argument's type, shape and strides before it reaches operations that trust them. */
public class CheckedKernels
    implements Kernels,
        CheckedMatmuls,
        CheckedRows,
        CheckedLayers,
        CheckedAttention,
        CheckedExperts,
        CheckedVectors {
  private final Operations operations;

  public CheckedKernels(Operations operations) {
    this.operations = operations;
  }

  @Override
  public Operations operations() {
    return operations;
  }

  @Override
  public void accuracy(Accuracy accuracy) {
    operations().device().accuracy(accuracy);
  }

  @Override
  public String memory() {
    return operations().device().memory();
  }

  @Override
  public String productLibrary() {
    return operations().device().productLibrary();
  }

  @Override
  public INDArray allocate(DataType type, long length) {
    return operations().device().allocate(type, length);
  }

  @Override
  public void release(INDArray array) {
    operations().device().release(array);
  }

  @Override
  public FrozenMatrix frozen(DataType type, long rows, long columns) {
    return operations().device().frozen(type, rows, columns);
  }

  @Override
  public boolean keepsHalf() {
    return operations().device().keepsHalf();
  }

  @Override
  public void release(FrozenMatrix matrix) {
    operations().device().release(matrix);
  }

  @Override
  public void write(float[] source, INDArray target) {
    contiguous("target", target, operations().frozenTypes());
    atLeast("elements to write", source.length, target.length());
    operations().device().write(source, target);
  }

  @Override
  public void read(INDArray source, float[] target) {
    vector("source", source);
    atLeast("elements to read into", target.length, source.length());
    operations().device().read(source, target);
  }

  @Override
  public void read(INDArray source, double[] target) {
    contiguous("source", source, List.of(DataType.DOUBLE));
    atLeast("elements to read into", target.length, source.length());
    operations().device().read(source, target);
  }

  @Override
  public void fill(INDArray target, double value) {
    contiguous("target", target, List.of(DataType.FLOAT, DataType.DOUBLE, DataType.BFLOAT16));
    operations().device().fill(target, value);
  }

  @Override
  public ExpertChoice choice(int length) {
    return operations().device().choice(length);
  }

  @Override
  public void release(ExpertChoice choice) {
    operations().device().release(choice);
  }

  @Override
  public void finish() {
    operations().device().finish();
  }

  @Override
  public boolean splitsBatches() {
    return operations().device().splitsBatches();
  }

  @Override
  public void runConcurrently(int replicas, IntConsumer body) {
    operations().device().runConcurrently(replicas, body);
  }
}
