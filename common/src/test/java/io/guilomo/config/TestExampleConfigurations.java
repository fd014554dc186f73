package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The files in {@code conf/} are what users start from. */
class TestExampleConfigurations {

  private static final Path CONF = Path.of("../conf");

  static List<Path> examples() throws IOException {
    try (Stream<Path> files = Files.list(CONF)) {
      return files.filter(file -> file.toString().endsWith(".conf")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void canBeUsedAsTheyAre(Path example) {
    GuilomoConfig config = GuilomoConfig.load(example.toString(), List.of());
    assertThat(config.model().requirePath()).isNotBlank();
    assertThat(config.data().requireTrain().text()).isNotBlank();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void areListed(Path example) throws IOException {
    String name = example.getFileName().toString();
    assertThat(CONF.resolve("README.md"))
        .content()
        .contains("| [`%s`](%s) |".formatted(name, name));
  }

  @Test
  void sayWhatTheyMean() {
    GuilomoConfig cola = GuilomoConfig.load(CONF.resolve("cola-minilm.conf").toString(), List.of());
    assertThat(cola.data().columns())
        .containsEntry("sentence", "_c3")
        .containsEntry("label", "_c1")
        .hasSize(2);
    assertThat(cola.data().labels()).containsExactly("0", "1");
    GuilomoConfig llama = GuilomoConfig.load(CONF.resolve("llama2-7b.conf").toString(), List.of());
    assertThat(llama.model().path()).isEqualTo("hdfs:///models/Llama-2-7b-hf");
    assertThat(llama.cluster().workers()).isEqualTo(8);
    GuilomoConfig gpus =
        GuilomoConfig.load(CONF.resolve("llama2-7b-gpu.conf").toString(), List.of());
    assertThat(gpus.cluster().device()).isEqualTo(ClusterConfig.Device.GPU);
    assertThat(gpus.model().path()).isEqualTo(llama.model().path());
    assertThat(gpus.model().precision()).isEqualTo(ModelConfig.Precision.BFLOAT16);
    assertThat(gpus.search()).isEqualTo(llama.search());
  }
}
