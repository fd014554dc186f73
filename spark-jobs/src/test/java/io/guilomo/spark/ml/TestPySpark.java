package io.guilomo.spark.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.param.Param;
import org.junit.jupiter.api.Test;

class TestPySpark {

  private static final Path WRAPPER = Path.of("../deploy/pyspark/guilomo_ml.py").toAbsolutePath();

  @Test
  void everyParameterAndClassIsThere() throws IOException {
    String text = Files.readString(WRAPPER);
    for (PipelineStage stage :
        List.of(
            new GuilomoClassifier(),
            new GuilomoAllocator(),
            new GuilomoClassificationModel("model", "adapter"),
            new GuilomoAllocationModel("model"))) {
      assertThat(text).contains("class " + stage.getClass().getSimpleName() + "(");
      for (Param<?> param : stage.params()) {
        assertThat(text).containsPattern(param.name() + " = _param\\(\\s*\"" + param.name());
      }
    }
  }

  @Test
  void isSound() throws Exception {
    ProcessBuilder check =
        new ProcessBuilder(
                "python3",
                "-c",
                "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())",
                WRAPPER.toString())
            .redirectErrorStream(true);
    Process process;
    try {
      process = check.start();
    } catch (IOException e) {
      assumeTrue(false, "skipped: there is no python3");
      return;
    }
    assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEmpty();
    assertThat(process.waitFor()).isZero();
  }
}
