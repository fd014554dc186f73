package io.guilomo.spark.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.ThreadMXBean;
import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.progress.ProgressListener;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times steps alongside the best product of the same minute: one step and two large products
 * alternate, so that whatever slows the machine slows both. Warm-up steps let the JVM finish
 * compiling, which would otherwise take processors from the measured ones.
 */
public record Bench(ProgressListener progress, PrintStream out) {

  private static final int WARM_UPS = 4;
  private static final double WARM_UP_SECONDS = 12;
  private static final int RUNS = 15;

  /**
   * Measures the named cases, or all if none is named, and prints one line of JSON per case.
   *
   * @param profiles whether to print one line per kernel as well
   * @param device the device to measure
   */
  public void run(List<String> names, boolean profiles, Device device) throws IOException {
    List<BenchShape> shapes =
        names.isEmpty() ? BenchShape.all() : names.stream().map(BenchShape::of).toList();
    ComputeThreads.limit(Runtime.getRuntime().availableProcessors());
    Kernels kernels = kernels(device);
    KernelProfile profile = profiles ? new KernelProfile() : null;
    for (BenchShape shape : shapes) {
      measure(shape, kernels, profile);
      out.flush();
    }
  }

  /** The kernels of the first GPU or of the CPU, selected without Spark. */
  private static Kernels kernels(Device device) {
    boolean processors =
        device == Device.CPU
            || (device == Device.AUTO && KernelSelection.gpuUnavailable().isPresent());
    return processors ? KernelSelection.best() : KernelSelection.gpu(0);
  }

  private void measure(BenchShape shape, Kernels kernels, KernelProfile profile)
      throws IOException {
    BestProduct best = new BestProduct(kernels, shape.precision());
    double[] seconds = new double[RUNS];
    forgetHighestMemory();
    try (BenchCase benchCase =
        new BenchCase(shape, profile == null ? kernels : profile.of(kernels))) {
      long steps = warmUp(benchCase, kernels.memory().equals(Kernels.HOST) ? WARM_UP_SECONDS : 1);
      if (profile != null) {
        profile.clear();
      }
      progress.begin(shape.task().toString(), RUNS);
      long allocated = allocatedBytes();
      for (int run = 0; run < RUNS; run++) {
        long start = System.nanoTime();
        benchCase.step(steps + run);
        seconds[run] = (System.nanoTime() - start) / 1e9;
        best.run();
        best.run();
        progress.round(Map.of("seconds", seconds[run]));
      }
      allocated = allocatedBytes() - allocated;
      double sum = Arrays.stream(seconds).sum();
      Arrays.sort(seconds);
      double median = seconds[RUNS / 2];
      double peak = best.gflops();
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", shape.task().toString());
      line.put("layers", shape.layers());
      line.put("sequences", shape.sequences());
      line.put("length", shape.length());
      line.put("precision", shape.precision().toString());
      line.put("routing", shape.routing());
      line.put("sharing", shape.sharing().toString());
      line.put("recompute", shape.recompute().toString());
      if (shape.task().work() == BenchShape.Work.SEARCH) {
        line.put("estimator", shape.estimator().toString());
      }
      line.put("device", kernels.memory());
      line.put("seconds_per_step", rounded(median));
      line.put("seconds_min", rounded(seconds[0]));
      line.put("seconds_max", rounded(seconds[RUNS - 1]));
      line.put("runs", RUNS);
      line.put("tokens_per_step", benchCase.tokens());
      line.put("tokens_per_second", rounded(benchCase.tokens() / median));
      line.put("step_gflop", rounded(benchCase.gflop()));
      line.put("peak_gflops", rounded(peak));
      line.put("peak_share", rounded(benchCase.gflop() / median / peak));
      line.put("heap_mb_per_step", rounded(allocated / 1e6 / RUNS));
      line.put("resident_mb", residentMegabytes());
      line.put("working_mb", rounded(benchCase.workingBytes() / 1e6));
      out.println(json(line));
      if (profile != null) {
        printShares(shape, profile.shares(sum, RUNS));
      }
    } finally {
      best.close();
    }
  }

  /** Returns the number of steps taken. */
  private static long warmUp(BenchCase benchCase, double least) {
    long begin = System.nanoTime();
    long steps = 0;
    while (steps < WARM_UPS || (System.nanoTime() - begin) / 1e9 < least) {
      benchCase.step(steps++);
    }
    return steps;
  }

  private void printShares(BenchShape shape, Map<String, KernelProfile.Share> shares)
      throws JsonProcessingException {
    for (Map.Entry<String, KernelProfile.Share> entry : shares.entrySet()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", shape.task().toString());
      line.put("kernel", entry.getKey());
      line.put("seconds_per_step", rounded(entry.getValue().seconds()));
      line.put("share", rounded(entry.getValue().share()));
      line.put("calls_per_step", rounded(entry.getValue().calls()));
      if (entry.getValue().gflops() > 0) {
        line.put("gflops", rounded(entry.getValue().gflops()));
      }
      out.println(json(line));
    }
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }

  /** Resets the peak that Linux reports; if that is not allowed, it counts from process start. */
  private static void forgetHighestMemory() {
    try {
      Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    } catch (IOException e) {
      return;
    }
  }

  /** Bytes that live threads have allocated on the heap. */
  private static long allocatedBytes() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return Arrays.stream(threads.getThreadAllocatedBytes(threads.getAllThreadIds()))
        .filter(bytes -> bytes > 0)
        .sum();
  }

  private static long residentMegabytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
      }
    }
    return -1;
  }

  private static String json(Map<String, Object> line) throws JsonProcessingException {
    return new ObjectMapper().writeValueAsString(line);
  }
}
