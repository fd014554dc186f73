package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.report.SampleRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestReportJob {

  @TempDir private Path output;

  @Test
  void aReportLiesBesideTheOtherFilesOfItsRun() throws IOException {
    new SampleRun(output, "r1").run(0, null);
    String path = job().run("r1");
    assertThat(path).isEqualTo(output + "/runs/r1/report.html");
    Files.writeString(Path.of(path), "old");
    assertThat(job().run("r1")).isEqualTo(path);
    assertThat(Path.of(path)).content().startsWith("<!DOCTYPE html>").contains("<h1>Run r1</h1>");
    assertThat(output.resolve("runs/r1/_report.html.tmp")).doesNotExist();
  }

  @Test
  void withoutANameTheNewestRunIsTaken() throws IOException {
    new SampleRun(output, "r1").run(5, null);
    new SampleRun(output, "r2").run(0, null);
    assertThat(job().run()).endsWith("/runs/r1/report.html");
    assertThat(output.resolve("runs/r2")).doesNotExist();
  }

  @Test
  void aRunThatIsNotThereIsRefused() throws IOException {
    assertThatThrownBy(() -> job().run("r1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot open %s/tables: there is no such directory; has any job been run with this output?",
            output);
    Files.createDirectory(output.resolve("tables"));
    assertThatThrownBy(() -> job().run())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot report on a run: %s/tables/runs has none", output);
    new SampleRun(output, "r1").run(0, null);
    assertThatThrownBy(() -> job().run("r2"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot report on run r2: %s/tables/runs has no row of it", output);
    assertThatThrownBy(() -> job().run("../r1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot use run id '../r1': it must match ");
    assertThat(output.resolve("runs")).doesNotExist();
  }

  private ReportJob job() {
    return new ReportJob(SharedSparkSession.session(), output.toString());
  }
}
