package io.guilomo.kernel.cuda;

import io.guilomo.kernel.Device;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.Kernels;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A card: its memory and the resources its kernels share. All threads of the process that use it
 * share its stream: each operation is queued as a whole, and the card takes them in that order.
 */
final class CudaCard implements Device {
  private static final int WRITTEN_AT_ONCE = 1 << 20;
  private static final int FILLING_BLOCKS = 1024;

  private final CudaDevice device;
  private final CudaStream stream;
  private final KernelLaunch launch;
  private final DeviceIndices indices;
  private final DeviceArrays arrays;
  private final DeviceScratch scratch;
  private final CudaChoices choices;
  private final ThreadLocal<Kernels.Accuracy> accuracy =
      ThreadLocal.withInitial(() -> Kernels.Accuracy.EXACT);

  CudaCard(CudaDevice device) {
    this.device = device;
    this.stream = new CudaStream(device);
    this.launch = new KernelLaunch(stream, new KernelModules(device));
    this.indices = new DeviceIndices(stream);
    this.arrays = new DeviceArrays(stream);
    this.scratch = new DeviceScratch(stream);
    this.choices = new CudaChoices(stream);
  }

  CudaDevice device() {
    return device;
  }

  CudaStream stream() {
    return stream;
  }

  /** A launch of a kernel without arguments yet. */
  KernelLaunch launch(String module, String kernel) {
    return launch.of(module, "", kernel);
  }

  /** See {@link KernelModules#function}. */
  KernelLaunch launch(String module, String definitions, String kernel) {
    return launch.of(module, definitions, kernel);
  }

  DeviceIndices indices() {
    return indices;
  }

  DeviceScratch scratch() {
    return scratch;
  }

  /** Whether nothing of activations may be rounded away in the calling thread's matmuls. */
  boolean exact() {
    return accuracy.get() == Kernels.Accuracy.EXACT;
  }

  /** A card runs a whole batch at once. */
  @Override
  public boolean splitsBatches() {
    return false;
  }

  @Override
  public void runConcurrently(int replicas, IntConsumer body) {
    for (int i = 0; i < replicas; i++) {
      body.accept(i);
    }
  }

  @Override
  public void accuracy(Kernels.Accuracy next) {
    accuracy.set(next);
  }

  @Override
  public String memory() {
    return "GPU " + device.ordinal();
  }

  @Override
  public boolean keepsHalf() {
    return false;
  }

  @Override
  public String productLibrary() {
    return "cuBLAS";
  }

  @Override
  public INDArray allocate(DataType type, long length) {
    return arrays.allocate(type, length);
  }

  @Override
  public void release(INDArray array) {
    arrays.release(array);
  }

  @Override
  public void write(float[] source, INDArray target) {
    int length = Math.toIntExact(target.length());
    long address = DeviceArrays.address(target);
    if (target.dataType() != DataType.BFLOAT16) {
      stream.write(source, 0, length, address);
      return;
    }
    for (int done = 0; done < length; done += WRITTEN_AT_ONCE) {
      int count = Math.min(WRITTEN_AT_ONCE, length - done);
      synchronized (stream) {
        long staging = scratch.of(DeviceScratch.Use.STAGING, 4L * WRITTEN_AT_ONCE);
        stream.write(source, done, count, staging);
        narrow(staging, count, address + 2L * done);
      }
    }
  }

  @Override
  public void read(INDArray source, float[] target) {
    stream.read(DeviceArrays.address(source), target, Math.toIntExact(source.length()));
  }

  @Override
  public void read(INDArray source, double[] target) {
    stream.read(DeviceArrays.address(source), target, Math.toIntExact(source.length()));
  }

  @Override
  public ExpertChoice choice(int length) {
    return choices.borrow(length);
  }

  @Override
  public void release(ExpertChoice choice) {
    choices.giveBack((CudaChoices.Choice) choice);
  }

  @Override
  public void finish() {
    stream.finish();
  }

  @Override
  public void fill(INDArray target, double value) {
    synchronized (stream) {
      long length = target.length();
      if (target.dataType() == DataType.DOUBLE) {
        launch("vectors", "fill64").vector(target).address(length).real64(value);
      } else {
        String kernel = target.dataType() == DataType.BFLOAT16 ? "fill_bf16" : "fill";
        launch("vectors", kernel).vector(target).address(length).real((float) value);
      }
      launch.elements(length, FILLING_BLOCKS);
    }
  }

  private void narrow(long source, int count, long target) {
    launch("vectors", "narrow").address(source, count, target).elements(count, FILLING_BLOCKS);
  }
}
