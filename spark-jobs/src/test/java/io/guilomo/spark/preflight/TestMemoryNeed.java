package io.guilomo.spark.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.network.ParameterCount;
import io.guilomo.sizing.BatchShape;
import io.guilomo.sizing.MemoryEstimate;
import java.util.List;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class TestMemoryNeed {

  private static final long GIBI = 1L << 30;

  /** 9.1 GB frozen, 100 MB of parameters. */
  private static final MemoryEstimate ESTIMATE =
      new MemoryEstimate(
          9_100_000_000L,
          new ParameterCount(0, 25_000_000),
          75_000_000,
          new BatchShape(16, 128),
          800_000_000);

  private static final MemoryLimit MACHINE = new MemoryLimit(MemoryLimit.MACHINE, 64 * GIBI);

  @Test
  void whatDoesNotFitIsRefusedWithItsParts() {
    MemoryNeed need = MemoryNeed.executor("search", ESTIMATE, false, 1, 1);
    assertThat(need.refusal(List.of(new MemoryLimit(MemoryLimit.MAX_BYTES, 4 * GIBI), MACHINE)))
        .contains(
            "Cannot fit guilomo.search: needs 10.6 GB per executor (backbone 9.1 GB, trainable 100 MB,"
                + " gradients 400 MB, updaters 200 MB, activations 800 MB for 16 × 128 tokens) and has 4.3 GB"
                + " (org.bytedeco.javacpp.maxBytes): set GUILOMO_OFF_HEAP=10g, or use a smaller"
                + " guilomo.search.batch-size or guilomo.model.max-length, or fewer tasks per process");
    assertThat(need.refusal(List.of(new MemoryLimit(MemoryLimit.OVERHEAD, GIBI), MACHINE)))
        .get()
        .asString()
        .contains(": set spark.executor.memoryOverhead=10g, or ");
  }

  @Test
  void residentAreHeapAndJvmToo() {
    MemoryNeed need = MemoryNeed.executor("search", ESTIMATE, false, 1, 1);
    assertThat(need.resident("resident", 3 * GIBI, List.of(MACHINE)))
        .isEqualTo(
            Check.ok(
                "resident",
                "up to 14.3 GB per executor: 10.6 GB outside the heap, 3.2 GB of heap and 500 MB of"
                    + " the JVM itself"));
    Check small =
        need.resident(
            "resident", 3 * GIBI, List.of(new MemoryLimit(MemoryLimit.MACHINE, 12 * GIBI)));
    assertThat(small.status()).isEqualTo(Check.Status.WARNING);
    assertThat(small.text())
        .endsWith(
            "; the machine's memory is 12.9 GB: use a smaller heap, or a smaller"
                + " guilomo.search.batch-size or guilomo.model.max-length, or fewer tasks per process");
  }

  @Test
  void aSmallMachineIsNotHelpedByASetting() {
    MemoryNeed need = MemoryNeed.local("finetune", ESTIMATE, false, 2, 2, 1);
    assertThat(
            need.refusal(
                List.of(
                    new MemoryLimit(MemoryLimit.MAX_BYTES, 4 * GIBI),
                    new MemoryLimit(MemoryLimit.MACHINE, 8 * GIBI))))
        .get()
        .asString()
        .startsWith(
            "Cannot fit guilomo.finetune: needs 12.7 GB in one process of 2 tasks (backbone")
        .contains(" 1.6 GB for 16 × 128 tokens, averaging 600 MB) and has 4.3 GB (")
        .contains("): use machines with more memory, a smaller guilomo.finetune.batch-size");
  }

  @Test
  void onAGpuTheHostHoldsWhatIsSent() {
    MemoryNeed need = MemoryNeed.executor("search", ESTIMATE, true, 1, 1);
    assertThat(need.describe(List.of(new MemoryLimit(MemoryLimit.MAX_BYTES, GIBI))))
        .isEqualTo(
            "needs 400 MB per executor (trainable 100 MB, gradients 100 MB, updaters 200 MB; the"
                + " rest is on the GPU) and has 1.1 GB (org.bytedeco.javacpp.maxBytes)");
    assertThat(need.heap()).isEqualTo(MemoryNeed.executor("search", ESTIMATE, false, 1, 1).heap());
    assertThat(
            MemoryNeed.local("search", ESTIMATE, true, 2, 2, 1)
                .refusal(List.of(new MemoryLimit(MemoryLimit.MAX_BYTES, GIBI), MACHINE)))
        .contains(
            "Cannot fit guilomo.search: needs 1.4 GB in one process of 2 tasks (trainable 200 MB,"
                + " gradients 200 MB, updaters 400 MB, averaging 600 MB; the rest is on the GPU)"
                + " and has 1.1 GB (org.bytedeco.javacpp.maxBytes): set GUILOMO_OFF_HEAP=2g, or use"
                + " fewer experts of lower ranks, or fewer tasks per process");
  }

  @Test
  void theDriverHoldsNoMoreForMoreWorkers() {
    MemoryNeed need = MemoryNeed.driver("search", ESTIMATE, 8, 2);
    // Two searches: parameters and moments of 300 MB, and those of a checkpoint.
    assertThat(need.offHeap()).isEqualTo(2 * 2 * 300_000_000L);
    assertThat(MemoryNeed.driver("search", ESTIMATE, 64, 2)).isEqualTo(need);
    assertThat(need.refusal(List.of(new MemoryLimit(MemoryLimit.MAX_BYTES, GIBI))))
        .get()
        .asString()
        .endsWith(": set GUILOMO_OFF_HEAP=2g, or use fewer guilomo.search.seeds");
  }

  @Test
  void whatFitsAndWhatIsNotKnownIsNotRefused() {
    MemoryNeed need = MemoryNeed.executor("search", ESTIMATE, false, 2, 1);
    assertThat(need.refusal(List.of(MACHINE))).isEmpty();
    assertThat(need.refusal(List.of())).isEmpty();
    assertThat(need.describe(List.of(MACHINE)))
        .startsWith("needs 12.1 GB per executor of 2 tasks (")
        .endsWith(" and has 68.7 GB (the machine's memory)");
    assertThat(need.describe(List.of())).endsWith("; how much it has is unknown");
  }

  @Test
  void limitsInTheSettingsOfExecutors() {
    SparkConf conf = new SparkConf(false).set("spark.executor.memory", "2g");
    assertThat(MemoryLimit.ofExecutors(conf))
        .containsExactly(new MemoryLimit(MemoryLimit.MAX_BYTES, 2 * GIBI));
    conf.set(
        "spark.executor.extraJavaOptions",
        "-Dorg.bytedeco.javacpp.maxBytes=1g -Da=b -Dorg.bytedeco.javacpp.maxBytes=40g");
    assertThat(MemoryLimit.ofExecutors(conf))
        .containsExactly(new MemoryLimit(MemoryLimit.MAX_BYTES, 40 * GIBI));
    conf.set("spark.master", "yarn");
    assertThat(MemoryLimit.ofExecutors(conf))
        .contains(new MemoryLimit(MemoryLimit.OVERHEAD, 384L << 20));
    conf.set("spark.kubernetes.memoryOverheadFactor", "0.5");
    assertThat(MemoryLimit.ofExecutors(conf))
        .contains(new MemoryLimit(MemoryLimit.OVERHEAD, 384L << 20));
    conf.set("spark.master", "k8s://https://host");
    assertThat(MemoryLimit.ofExecutors(conf)).contains(new MemoryLimit(MemoryLimit.OVERHEAD, GIBI));
    for (String master : List.of("k8s://https://host", "yarn")) {
      conf.set("spark.master", master);
      conf.set("spark.executor.memoryOverheadFactor", "4");
      assertThat(MemoryLimit.ofExecutors(conf))
          .contains(new MemoryLimit(MemoryLimit.OVERHEAD, 8 * GIBI));
    }
    conf.set("spark.executor.memoryOverhead", "45g");
    assertThat(MemoryLimit.smallest(MemoryLimit.ofExecutors(conf)))
        .contains(new MemoryLimit(MemoryLimit.MAX_BYTES, 40 * GIBI));
    conf.set("spark.executor.extraJavaOptions", "-Dorg.bytedeco.javacpp.maxBytes=0");
    assertThat(MemoryLimit.ofExecutors(conf))
        .containsExactly(new MemoryLimit(MemoryLimit.OVERHEAD, 45 * GIBI));
  }

  @Test
  void limitsOfThisProcess() {
    assertThat(MemoryLimit.total("MemTotal:       24000000 kB\nMemFree: 1 kB\n"))
        .isEqualTo(24_000_000L * 1024);
    assertThat(MemoryLimit.total("")).isZero();
    assertThat(MemoryLimit.here())
        .contains(new MemoryLimit(MemoryLimit.MAX_BYTES, Pointer.maxBytes()))
        .allSatisfy(limit -> assertThat(limit.bytes()).isPositive());
  }
}
