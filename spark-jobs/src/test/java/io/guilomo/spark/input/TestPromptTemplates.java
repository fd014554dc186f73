package io.guilomo.spark.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.PromptTemplate;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestPromptTemplates {

  private static final int MOST = 1 << 20;

  @TempDir private Path dir;

  @Test
  void aFileThatIsTooLargeIsNotCut() throws IOException {
    Path file = dir.resolve("template.json");
    String json =
        "{\"prompt_input\": \"{instruction} {input}\", \"prompt_no_input\": \"{instruction}\","
            + " \"response_split\": \"###\"}";
    Files.writeString(file, json + " ".repeat(MOST - json.length()));
    assertThat(template(file).responseMarker()).isEqualTo("###");
    Files.writeString(file, json + " ".repeat(MOST - json.length() + 1));
    assertThatThrownBy(() -> template(file))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot use guilomo.data.prompt-template = "
                + file
                + ": it is larger than 1 MiB; is it a template?");
  }

  private static PromptTemplate template(Path file) throws IOException {
    return PromptTemplates.of(
        GuilomoConfig.load(null, List.of("data.prompt-template=" + file)), new Configuration());
  }
}
