package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.data.Frame;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.FloatMemory;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.OnnxModel;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.Tokenizer;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.network.Backbone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The real all-MiniLM-L6-v2, in the directory that system property {@code guilomo.minilm} names.
 */
class TestMiniLm {

  private static final Configuration CONF = new Configuration();
  private static final Pattern LINE =
      Pattern.compile("(\\S+) (\\d+) \\[([0-9, ]+)] .*std ([0-9.]+)");

  @Test
  void onnxTensors() throws IOException {
    String directory = directory();
    Backbone backbone = ModelReader.load(directory, CONF);
    assertThat(backbone.config())
        .isEqualTo(new BertConfig(384, 1536, 6, 12, 30522, 512, 2, 1e-12f));
    assertThat(backbone.config().layers()).isEqualTo(6);
    assertThat(KernelArrays.matrix(backbone.matrix("block-5.qkv.weight")).shape())
        .containsExactly(3 * 384, 384);
    assertThat(KernelArrays.matrix(backbone.matrix("block-5.output.weight")).shape())
        .containsExactly(384, 1536);

    Path golden = GoldenFiles.models().resolve("all-minilm-l6-v2/tensors.txt");
    int checked = 0;
    try (OnnxModel model = ModelDirectory.open(directory, CONF).onnx()) {
      for (String line : Files.readAllLines(golden)) {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches() && matcher.group(2).equals("1")) {
          long[] shape =
              Arrays.stream(matcher.group(3).split(", ")).mapToLong(Long::parseLong).toArray();
          assertThat(model.names()).contains(matcher.group(1));
          if (matcher.group(1).startsWith("onnx::MatMul")) {
            shape = new long[] {shape[1], shape[0]};
          }
          assertThat(model.shape(matcher.group(1))).isEqualTo(shape);
          INDArray tensor = SafetensorsFile.allocate(shape);
          model.read(matcher.group(1), FloatMemory.of(tensor), null);
          assertThat(deviation(tensor))
              .isBetween(
                  Double.parseDouble(matcher.group(4)) - 5.1e-5,
                  Double.parseDouble(matcher.group(4)) + 5.1e-5);
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(103);
  }

  private static double deviation(INDArray tensor) {
    float[] values = tensor.data().asFloat();
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += (double) value * value;
    }
    double mean = sum / values.length;
    return Math.sqrt(squares / values.length - mean * mean);
  }

  @Test
  void tokenizer() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(directory(), CONF)) {
      assertThat(tokenizer.encode("this is a test"))
          .containsExactly(101, 2023, 2003, 1037, 3231, 102);
      assertThat(tokenizer.frame(true).ids())
          .containsExactly(101, Frame.FIRST, 102, Frame.SECOND, 102);
      assertThat(tokenizer.frame(true).segments()).containsExactly(0, 0, 0, 1, 1);
      assertThat(tokenizer.encode("test ".repeat(1000))).hasSize(1002);
      assertThat(tokenizer.cls()).hasValue(101);
      assertThat(tokenizer.sep()).hasValue(102);
      assertThat(tokenizer.pad()).hasValue(0);
      assertThat(tokenizer.vocabulary()).isEqualTo(30522);
    }
  }

  private static String directory() {
    String directory = System.getProperty("guilomo.minilm");
    Assumptions.assumeTrue(
        directory != null && Files.isDirectory(Path.of(directory)),
        () -> "skipped: guilomo.minilm is %s, not a directory with the model".formatted(directory));
    return directory;
  }
}
