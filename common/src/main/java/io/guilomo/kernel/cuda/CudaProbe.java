package io.guilomo.kernel.cuda;

import io.guilomo.kernel.Kernels;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Prints properties of a card and its measured matmul and copy speed as {@code key: value} lines:
 * the first thing to run on a new machine.
 */
public final class CudaProbe {
  private static final int REPEATS = 10;
  private static final int LARGE = 8192;
  private static final int SMALL = 256;
  private static final long MEMORY_OF_LARGE = 4L << 30;

  private final CudaKernels kernels;

  CudaProbe(CudaKernels kernels) {
    this.kernels = kernels;
  }

  /**
   * @param arguments the number of the card; 0 if absent
   */
  public static void main(String[] arguments) {
    int ordinal = arguments.length == 0 ? 0 : Integer.parseInt(arguments[0]);
    CudaProvider provider = new CudaProvider();
    Optional<String> reason = provider.unavailable();
    if (reason.isPresent()) {
      System.err.println("error: Cannot compute on a GPU: " + reason.get());
      System.exit(2);
    }
    CudaProbe probe = new CudaProbe((CudaKernels) provider.open(ordinal));
    probe.findings().forEach((key, value) -> System.out.println(key + ": " + value));
  }

  private Map<String, String> findings() {
    CudaDevice device = kernels.card().device();
    Map<String, String> found = new LinkedHashMap<>();
    found.put("card", device.name());
    found.put("capability", device.capability() / 10 + "." + device.capability() % 10);
    found.put("multiprocessors", String.valueOf(device.multiprocessors()));
    found.put(
        "memory",
        String.format(
            Locale.ROOT,
            "%.1f of %.1f GB free",
            device.freeMemory() / 1e9,
            device.totalMemory() / 1e9));
    found.put("driver", "CUDA " + CudaDevice.driverVersion());
    found.put("cuBLAS", kernels.products().version());
    found.put("NVRTC", Nvrtc.version());
    // Smaller matrices for a card with little memory, or a fake one.
    int size = device.freeMemory() < MEMORY_OF_LARGE ? SMALL : LARGE;
    found.put("bfloat16", speed(product(size, DataType.BFLOAT16, Kernels.Accuracy.ROUNDED)));
    found.put("tf32", speed(product(size, DataType.FLOAT, Kernels.Accuracy.ROUNDED)));
    found.put("float32", speed(product(size, DataType.FLOAT, Kernels.Accuracy.EXACT)));
    found.put("to the card", String.format(Locale.ROOT, "%.1f GB/s", toCard(size)));
    found.put("within the card", String.format(Locale.ROOT, "%.0f GB/s", within(size)));
    return found;
  }

  /** All of it in one line. */
  String line() {
    return findings().entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }

  private static String speed(double teraflops) {
    return String.format(Locale.ROOT, "%.3g TFLOP/s", teraflops);
  }

  /** Speed of a product of square matrices, in TFLOP/s. */
  private double product(int size, DataType frozen, Kernels.Accuracy accuracy) {
    INDArray a = matrix(DataType.FLOAT, size);
    INDArray b = matrix(frozen, size);
    INDArray c = matrix(DataType.FLOAT, size);
    kernels.accuracy(accuracy);
    double seconds = seconds(() -> kernels.product(a, false, b, true, c, false));
    kernels.accuracy(Kernels.Accuracy.EXACT);
    release(a, b, c);
    return 2.0 * size * size * size / seconds / 1e12;
  }

  private double toCard(int size) {
    INDArray to = kernels.allocate(DataType.FLOAT, (long) size * size);
    float[] from = new float[size * size];
    double seconds = seconds(() -> kernels.write(from, to));
    release(to);
    return size * (double) size * Float.BYTES / seconds / 1e9;
  }

  /** Bytes read and written. */
  private double within(int size) {
    INDArray from = matrix(DataType.FLOAT, size);
    INDArray to = matrix(DataType.FLOAT, size);
    double seconds = seconds(() -> kernels.copy(from, to));
    release(from, to);
    return 2.0 * size * size * Float.BYTES / seconds / 1e9;
  }

  private INDArray matrix(DataType type, int size) {
    INDArray matrix = kernels.allocate(type, (long) size * size).reshape(size, size);
    kernels.write(CudaProbe.random(size * size), matrix);
    return matrix;
  }

  private void release(INDArray... arrays) {
    for (INDArray array : arrays) {
      kernels.release(array);
    }
  }

  private static float[] random(int count) {
    SplittableRandom random = new SplittableRandom(1);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  private double seconds(Runnable body) {
    for (int i = 0; i < 3; i++) {
      body.run();
    }
    kernels.finish();
    long start = System.nanoTime();
    for (int i = 0; i < REPEATS; i++) {
      body.run();
    }
    kernels.finish();
    return (System.nanoTime() - start) / 1e9 / REPEATS;
  }
}
