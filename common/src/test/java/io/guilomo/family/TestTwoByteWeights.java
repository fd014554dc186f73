package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.network.Backbone;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Checkpoints of two bytes a weight, kept so: every value as it is stored. */
class TestTwoByteWeights {
  private static final Configuration CONF = new Configuration();

  @TempDir private Path directory;

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void bfloat16StaysBfloat16(Kernels kernels) throws IOException {
    keeps(kernels, "BF16", DataType.BFLOAT16);
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void float16StaysFloat16WhereItCan(Kernels kernels) throws IOException {
    if (kernels.keepsHalf()) {
      keeps(kernels, "F16", DataType.HALF);
    }
  }

  private void keeps(Kernels kernels, String stored, DataType kept) throws IOException {
    Path stories = GoldenFiles.models().resolve("stories260K-hf");
    Files.copy(stories.resolve("config.json"), directory.resolve("config.json"));
    write(read(stories.resolve("model.safetensors")), stored);
    Backbone wide = ModelReader.load(directory.toUri().toString(), CONF);
    Backbone narrow =
        ModelReader.load(
            directory.toUri().toString(), CONF, new FrozenMemory(kernels, DataType.BFLOAT16));
    kernels.finish();
    assertThat(narrow.digest()).isEqualTo(wide.digest());
    assertThat(narrow.matrices()).hasSameSizeAs(wide.matrices());
    narrow
        .matrices()
        .forEach(
            (name, matrix) -> {
              assertThat(matrix.type()).as(name).isEqualTo(kept);
              assertThat(matrix.bytes()).isEqualTo(matrix.rows() * matrix.columns() * Short.BYTES);
              assertThat(rows(kernels, matrix))
                  .as(name)
                  .isDeepEqualTo(rows(KernelsUnderTest.named("portable"), wide.matrix(name)));
            });
  }

  private static float[][] rows(Kernels kernels, FrozenMatrix matrix) {
    int count = (int) matrix.rows();
    INDArray result = KernelArrays.filled(kernels, 0, count, (int) matrix.columns());
    kernels.gatherRows(matrix, IntStream.range(0, count).toArray(), result, false);
    return KernelArrays.rows(kernels, result);
  }

  private static Map<String, INDArray> read(Path file) throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (SafetensorsFile source =
        SafetensorsFile.open(new org.apache.hadoop.fs.Path(file.toUri()), CONF)) {
      for (String name : source.names()) {
        tensors.put(name, source.read(name));
      }
    }
    return tensors;
  }

  private void write(Map<String, INDArray> tensors, String type) throws IOException {
    StringJoiner header = new StringJoiner(",", "{", "}");
    long end = 0;
    for (Map.Entry<String, INDArray> tensor : tensors.entrySet()) {
      long begin = end;
      end += tensor.getValue().length() * Short.BYTES;
      header.add(
          "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(
                  tensor.getKey(), type, Arrays.toString(tensor.getValue().shape()), begin, end));
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = Files.newOutputStream(directory.resolve("model.safetensors"))) {
      out.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(json.length)
              .array());
      out.write(json);
      for (INDArray tensor : tensors.values()) {
        float[] values = tensor.dup('c').data().asFloat();
        ByteBuffer bytes =
            ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
          bytes.putShort(
              (short)
                  (type.equals("F16")
                      ? HalfIndexer.fromFloat(value)
                      : Float.floatToRawIntBits(value) >>> 16));
        }
        out.write(bytes.array());
      }
    }
  }
}
