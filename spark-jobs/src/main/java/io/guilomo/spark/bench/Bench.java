package io.guilomo.spark.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.job.ProgressListener;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Times steps beside the best product of the same minute: a step, then two large products, in turn,
 * so that what slows the machine slows both.
 */
public final class Bench {

  private static final int WARM_UPS = 4;
  private static final int RUNS = 15;
  private static final int PRODUCT = 1536;

  private final ProgressListener progress;
  private final PrintStream out;

  public Bench(ProgressListener progress, PrintStream out) {
    this.progress = progress;
    this.out = out;
  }

  /** Measures the named cases, all if none is named, and prints a line of JSON for each. */
  public void run(List<String> names) throws IOException {
    List<BenchCase.Name> cases =
        names.isEmpty()
            ? List.of(BenchCase.Name.values())
            : names.stream().map(BenchCase.Name::of).toList();
    ComputeThreads.limit(Runtime.getRuntime().availableProcessors());
    Kernels kernels = KernelSelection.best();
    for (BenchCase.Name name : cases) {
      progress.begin(name.toString(), WARM_UPS + RUNS);
      out.println(measure(name, kernels));
      out.flush();
    }
  }

  private String measure(BenchCase.Name name, Kernels kernels) throws IOException {
    INDArray a = Nd4j.rand(PRODUCT, PRODUCT);
    INDArray b = Nd4j.rand(PRODUCT, PRODUCT);
    INDArray c = Nd4j.zeros(PRODUCT, PRODUCT);
    double[] seconds = new double[RUNS];
    double fastestProduct = Double.MAX_VALUE;
    try (BenchCase benchCase = new BenchCase(name, kernels)) {
      for (int run = -WARM_UPS; run < RUNS; run++) {
        long start = System.nanoTime();
        benchCase.step(run + WARM_UPS);
        double elapsed = (System.nanoTime() - start) / 1e9;
        if (run >= 0) {
          seconds[run] = elapsed;
        }
        for (int i = 0; i < 2; i++) {
          start = System.nanoTime();
          kernels.product(a, false, b, true, c, false);
          fastestProduct = Math.min(fastestProduct, (System.nanoTime() - start) / 1e9);
        }
        progress.round(Map.of("seconds", elapsed));
      }
      Arrays.sort(seconds);
      double median = seconds[RUNS / 2];
      double peak = 2.0 * PRODUCT * PRODUCT * PRODUCT / fastestProduct / 1e9;
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", name.toString());
      line.put("seconds_per_step", rounded(median));
      line.put("seconds_min", rounded(seconds[0]));
      line.put("seconds_max", rounded(seconds[RUNS - 1]));
      line.put("runs", RUNS);
      line.put("tokens_per_step", benchCase.tokens());
      line.put("step_gflop", rounded(benchCase.gflop()));
      line.put("peak_gflops", rounded(peak));
      line.put("peak_share", rounded(benchCase.gflop() / median / peak));
      line.put("resident_mb", residentMegabytes());
      return json(line);
    }
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
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
