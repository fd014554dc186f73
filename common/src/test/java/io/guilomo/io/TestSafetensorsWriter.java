package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What is written, byte by byte; that it is read again is in {@link TestSafetensorsFile}. */
class TestSafetensorsWriter {

  private static final Configuration CONF = new Configuration();

  @TempDir java.nio.file.Path dir;

  @Test
  void metadataIsInTheOrderOfItsKeys() throws IOException {
    Map<String, INDArray> tensors = Map.of("a", Nd4j.createFromArray(1f));
    Map<String, String> metadata = new LinkedHashMap<>();
    for (String key : new String[] {"b", "c", "a"}) {
      metadata.put(key, "1");
    }
    SafetensorsWriter.write(path(), CONF, tensors, metadata);
    assertThat(Files.readString(dir.resolve("x.safetensors"), StandardCharsets.ISO_8859_1))
        .contains("{\"__metadata__\":{\"a\":\"1\",\"b\":\"1\",\"c\":\"1\"},\"a\":{");
  }

  @Test
  void integersAreRefused() {
    assertThatThrownBy(
            () ->
                SafetensorsWriter.write(
                    path(), CONF, Map.of("a", Nd4j.createFromArray(1L)), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot write %s: tensor a has type LONG, which is not a floating-point type", path());
  }

  private Path path() {
    return new Path(dir.resolve("x.safetensors").toUri());
  }
}
