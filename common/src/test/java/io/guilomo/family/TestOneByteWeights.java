package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.QuantizedMatrix;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.WeightErrors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Checkpoints whose matrices are kept in a byte an element. */
class TestOneByteWeights {
  private static final String DOWN = "model.layers.2.mlp.down_proj.weight";
  private static final Configuration CONF = new Configuration();
  private static final FrozenMemory MEMORY =
      new FrozenMemory(KernelSelection.portable(), DataType.BYTE);

  @TempDir private Path directory;

  @Test
  void allMatricesAndWhatTheyLose() throws IOException {
    String uri = stories().toUri().toString();
    Backbone wide = ModelReader.load(uri, CONF);
    Backbone narrow = ModelReader.load(uri, CONF, MEMORY);
    assertThat(narrow.digest()).isEqualTo(wide.digest());
    assertThat(narrow.matrices()).hasSameSizeAs(wide.matrices());
    double squaredError = 0;
    double squaredNorm = 0;
    long bytes = 0;
    long elements = 0;
    for (String name : narrow.matrices().keySet()) {
      QuantizedMatrix matrix = (QuantizedMatrix) narrow.matrix(name);
      INDArray expected = KernelArrays.matrix(wide.matrix(name));
      INDArray found =
          matrix
              .elements()
              .castTo(DataType.FLOAT)
              .muliColumnVector(matrix.scales().reshape(matrix.rows(), 1));
      double norm = expected.norm2Number().doubleValue();
      double error = found.sub(expected).norm2Number().doubleValue();
      assertThat(error / norm).as(name).isBetween(1e-3, 1.5e-2);
      if (!name.equals("head.weight")) { // The embeddings under a second name.
        squaredError += error * error;
        squaredNorm += norm * norm;
        bytes += matrix.bytes();
        elements += matrix.rows() * matrix.columns();
        assertThat(matrix.elements().data().length() * matrix.elements().data().getElementSize())
            .isEqualTo(matrix.rows() * matrix.columns());
      }
    }
    // Scales take 4 bytes for each 64 to 172 elements of a row.
    assertThat(bytes).isBetween(elements, elements * 106 / 100);
    assertThat(narrow.errors().kinds().keySet())
        .containsExactly(
            "model.embed_tokens",
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj");
    assertThat(narrow.errors().relative())
        .isCloseTo(Math.sqrt(squaredError / squaredNorm), within(1e-6));
    assertThat(narrow.errors().describe())
        .matches("int8 weights are off by 0\\.\\d\\d % \\(model.embed_tokens 0\\.\\d\\d %, .*\\)");
    assertThat(wide.errors()).isEqualTo(WeightErrors.NONE);
  }

  @Test
  void errorsAreKnownWithoutKeepingTheWeights() throws IOException {
    String uri = stories().toUri().toString();
    assertThat(ModelReader.errors(uri, CONF))
        .isEqualTo(ModelReader.load(uri, CONF, MEMORY).errors());
  }

  @Test
  void valuesThatAreNotFiniteAreRefused() throws IOException {
    Files.copy(stories().resolve("config.json"), directory.resolve("config.json"));
    Path weights = directory.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(stories().resolve("model.safetensors"));
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) buffer.getLong(0);
    JsonNode offsets =
        new ObjectMapper().readTree(bytes, Long.BYTES, header).path(DOWN).path("data_offsets");
    buffer.putFloat(Long.BYTES + header + offsets.get(1).asInt() - Float.BYTES, Float.NaN);
    Files.write(weights, bytes);
    assertThatThrownBy(() -> ModelReader.load(directory.toUri().toString(), CONF, MEMORY))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot keep tensor %s as int8: it has the value NaN; set model.precision=float32",
            DOWN);
    assertThatThrownBy(() -> ModelReader.errors(directory.toUri().toString(), CONF))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("Cannot keep tensor " + DOWN);
    assertThat(ModelReader.load(directory.toUri().toString(), CONF).matrices()).isNotEmpty();
  }

  private static Path stories() {
    return GoldenFiles.models().resolve("stories260K-hf");
  }
}
