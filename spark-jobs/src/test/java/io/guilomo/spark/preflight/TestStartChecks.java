package io.guilomo.spark.preflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.round.RandomLlama;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a job looks at before it begins. */
class TestStartChecks {

  private final Messages progress = new Messages();

  @TempDir private Path directory;

  @Test
  void theModelIsReadOnceForAllJobsOfAnApplication() throws IOException {
    RandomLlama.write(directory);
    JobContext context =
        new JobContext(
            SharedSparkSession.session(),
            GuilomoConfig.load(null, List.of("model.path=" + directory)),
            progress);
    Preflight.start(context);
    // A machine that is busy or has no faster kernels may be warned of.
    assertThat(progress.lines()).allMatch(line -> line.matches("warning: (product|kernels).*"));
    progress.lines().clear();
    Files.delete(directory.resolve("model.safetensors"));
    Preflight.start(context);
    assertThat(progress.lines()).isEmpty();
  }

  @Test
  void aTrainingWhoseModelCannotBeReadIsRefusedBeforeItReadsData() throws IOException {
    RandomLlama.write(directory);
    Path config = directory.resolve("config.json");
    Files.writeString(
        config, Files.readString(config).replace("\"vocab_size\":11", "\"vocab_size\":12"));
    for (int attempt = 0; attempt < 2; attempt++) {
      assertThatThrownBy(
              () ->
                  new AllocateJob(
                          new JobContext(
                              SharedSparkSession.session(), config("data.train=nowhere"), progress),
                          true)
                      .run())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("Cannot load " + directory)
          .hasMessageEndingWith(
              ": tensor model.embed_tokens.weight has shape [11, 8], expected [12, 8]");
    }
    assertThat(directory.resolve("out/runs/r/report.html"))
        .content()
        .contains("Job allocate had failed when this was written.");
    assertThat(progress.lines()).noneMatch(line -> line.startsWith("report written to"));
  }

  @Test
  void whatAnExecutorCannotDoNamesIt() {
    List<Check> checks =
        List.of(
            Check.ok("Java", "17.0.15"),
            Check.warning("kernels", "Nd4jKernels: slow"),
            Check.cannot("guilomo.model.path", "Cannot load /models/m: there is no such directory")
                .in("executor 3 on host7"));
    assertThatThrownBy(() -> Preflight.report(checks, true, progress))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot run on executor 3 on host7: Cannot load /models/m: there is no such directory");
    assertThat(progress.lines()).isEmpty();
  }

  @Test
  void whatIsSlowOrDiffersIsWarnedOf() {
    Preflight.report(
        List.of(
            Check.ok("Java", "17.0.15"),
            Check.warning("matrix products", "MKL on the driver, but executor 1 on a has OPENBLAS"),
            Check.warning("product of 512³", "3 GFLOP/s by OPENBLAS").in(Machine.DRIVER)),
        true,
        progress);
    assertThat(progress.lines())
        .containsExactly(
            "warning: matrix products: MKL on the driver, but executor 1 on a has OPENBLAS",
            "warning: product of 512³, driver: 3 GFLOP/s by OPENBLAS");
  }

  @Test
  void executorsMayComeLater() {
    List<Check> checks =
        List.of(Check.cannot("executors", "Cannot run on yarn: none has answered"));
    Preflight.report(checks, false, progress);
    assertThat(progress.lines())
        .containsExactly("warning: executors: Cannot run on yarn: none has answered");
  }

  private GuilomoConfig config(String... overrides) {
    return GuilomoConfig.load(
            null,
            List.of(
                "run.id=r", "output.dir=" + directory.resolve("out"), "model.path=" + directory))
        .with(List.of(overrides));
  }
}
