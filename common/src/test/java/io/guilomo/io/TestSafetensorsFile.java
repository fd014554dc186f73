package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.guilomo.golden.GoldenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class TestSafetensorsFile {

  private static final Configuration CONF = new Configuration();

  @TempDir Path dir;

  @Test
  void roundTrip() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put("matrix", Nd4j.linspace(1, 6, 6, DataType.FLOAT).reshape('c', 2, 3));
    tensors.put("fortran", Nd4j.linspace(1, 6, 6, DataType.FLOAT).reshape('c', 3, 2).transpose());
    tensors.put("scalar", Nd4j.scalar(DataType.FLOAT, -7.5f));
    tensors.put("doubles", Nd4j.createFromArray(0.5, -0.25));
    tensors.put("column", Nd4j.linspace(1, 6, 6, DataType.FLOAT).reshape('c', 2, 3).getColumn(1));
    tensors.put("empty", Nd4j.create(DataType.FLOAT, 0, 3));
    SafetensorsWriter.write(hadoop("x.safetensors"), CONF, tensors, Map.of("format", "pt"));
    try (SafetensorsFile file = open("x.safetensors")) {
      assertThat(file.names())
          .containsExactly("matrix", "fortran", "scalar", "doubles", "column", "empty");
      assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
      assertThat(file.dtype("doubles")).isEqualTo("F32");
      assertThat(file.shape("fortran")).containsExactly(2, 3);
      assertThat(file.read("matrix").toFloatMatrix())
          .isDeepEqualTo(new float[][] {{1, 2, 3}, {4, 5, 6}});
      assertThat(file.read("fortran").toFloatMatrix())
          .isDeepEqualTo(new float[][] {{1, 3, 5}, {2, 4, 6}});
      assertThat(file.read("scalar").rank()).isZero();
      assertThat(file.read("scalar").getFloat(0)).isEqualTo(-7.5f);
      assertThat(file.read("doubles").toFloatVector()).containsExactly(0.5f, -0.25f);
      assertThat(file.read("column").toFloatVector()).containsExactly(2, 5);
      assertThat(file.read("empty").shape()).containsExactly(0, 3);
      assertThat(file.read("matrix").ordering()).isEqualTo('c');
    }
    byte[] bytes = Files.readAllBytes(dir.resolve("x.safetensors"));
    assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8).isZero();
  }

  @Test
  void manyBlocks() throws IOException {
    float[] values = new float[700_001];
    Random random = new Random(1);
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    SafetensorsWriter.write(
        hadoop("x.safetensors"), CONF, Map.of("a", Nd4j.createFromArray(values)), Map.of());
    try (SafetensorsFile file = open("x.safetensors")) {
      assertThat(file.read("a").toFloatVector()).isEqualTo(values);
    }
  }

  @Test
  void readsIntoRowsOfFusedMatrix() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put("q", Nd4j.createFromArray(new float[][] {{1, 2}, {3, 4}}));
    tensors.put("k", Nd4j.createFromArray(new float[][] {{5, 6}}));
    SafetensorsWriter.write(hadoop("x.safetensors"), CONF, tensors, Map.of());
    INDArray fused = Nd4j.zeros(DataType.FLOAT, 4, 2);
    try (SafetensorsFile file = open("x.safetensors")) {
      file.readInto("q", fused.get(NDArrayIndex.interval(1, 3), NDArrayIndex.all()));
      file.readInto("k", fused.get(NDArrayIndex.interval(3, 4), NDArrayIndex.all()));
      assertThat(fused.toFloatMatrix())
          .isDeepEqualTo(new float[][] {{0, 0}, {1, 2}, {3, 4}, {5, 6}});
      assertThatThrownBy(
              () -> file.readInto("q", fused.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("it is not contiguous float32");
      assertThatThrownBy(() -> file.readInto("q", fused))
          .hasMessageEndingWith("tensor q has shape [2, 2], expected [4, 2]");
    }
  }

  @Test
  void arraysOutliveWorkspaces() throws IOException {
    SafetensorsWriter.write(
        hadoop("x.safetensors"), CONF, Map.of("a", Nd4j.createFromArray(1f, 2f)), Map.of());
    INDArray array;
    try (MemoryWorkspace ignored =
            Nd4j.getWorkspaceManager().getAndActivateWorkspace("TestSafetensorsFile");
        SafetensorsFile file = open("x.safetensors")) {
      array = file.read("a");
      assertThat(array.isAttached()).isFalse();
    }
    assertThat(array.toFloatVector()).containsExactly(1, 2);
  }

  @Test
  void halfPrecision() throws IOException {
    int[] bits = {
      0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0xfc00, 0x7e00, 0x3555
    };
    float[] expected = {
      0f,
      -0f,
      1f,
      -2f,
      65504f,
      0x1p-24f,
      1023 * 0x1p-24f,
      0x1p-14f,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN,
      0.33325195f
    };
    writeShorts("F16", bits);
    try (SafetensorsFile file = open("x.safetensors")) {
      assertThat(file.read("a").toFloatVector()).containsExactly(expected);
      assertThat(Float.floatToRawIntBits(file.read("a").getFloat(1))).isEqualTo(0x80000000);
    }
  }

  @Test
  void brainFloat() throws IOException {
    int[] bits = {0x0000, 0x8000, 0x3f80, 0xc000, 0x7f7f, 0x0001, 0x7f80, 0xff80, 0x7fc0, 0x3eab};
    float[] expected = {
      0f,
      -0f,
      1f,
      -2f,
      3.3895314e38f,
      Float.intBitsToFloat(0x10000),
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN,
      0.33398438f
    };
    writeShorts("BF16", bits);
    try (SafetensorsFile file = open("x.safetensors")) {
      assertThat(file.read("a").toFloatVector()).containsExactly(expected);
    }
  }

  @Test
  void whatAreNoWeightsIsRefused() throws IOException {
    write("{'a':{'dtype':'I64','shape':[2],'data_offsets':[0,16]}}", new byte[16]);
    try (SafetensorsFile file = open("x.safetensors")) {
      assertThatThrownBy(() -> file.read("a"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot read %s: tensor a has dtype I64, expected F32, F16 or BF16",
              hadoop("x.safetensors"));
      assertThatThrownBy(() -> file.read("c"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Cannot read %s: it has no tensor c", hadoop("x.safetensors"));
    }
  }

  static Stream<Arguments> badHeaders() {
    return Stream.of(
        Arguments.of("", "its header is not a JSON object"),
        Arguments.of("[1]", "its header is not a JSON object"),
        Arguments.of("{'a':", "its header is not JSON (Unexpected end-of-input"),
        Arguments.of("{} {}", "its header does not end with its JSON object"),
        Arguments.of("{'a':3}", "tensor a is not described by a JSON object"),
        Arguments.of("{'__metadata__':3}", "its __metadata__ is not a JSON object"),
        Arguments.of(
            "{'__metadata__':{'x':3}}", "its __metadata__ contains x, which is not a string"),
        Arguments.of(
            "{'a':{'dtype':'Q4','shape':[1],'data_offsets':[0,4]}}",
            "tensor a has the unknown dtype Q4"),
        Arguments.of(
            "{'a':{'shape':[1],'data_offsets':[0,4]}}", "tensor a has the unknown dtype (none)"),
        Arguments.of(
            "{'a':{'dtype':'F32','data_offsets':[0,4]}}",
            "tensor a has no shape of at most 32 numbers"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[1.5],'data_offsets':[0,4]}}",
            "tensor a has the shape entry 1.5, not a 64-bit integer"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,4]}}",
            "tensor a has the shape entry 99999999999999999999, not a 64-bit integer"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}}",
            "tensor a has the negative shape [-1]"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,4]}}",
            "tensor a has the impossible shape [4294967296, 4294967296]"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0]}}",
            "tensor a has 1 data_offsets, expected 2"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}}",
            "tensor a is at bytes 4 to 12 of 8 bytes of data"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[1],'data_offsets':[8,4]}}",
            "tensor a is at bytes 8 to 4 of 8 bytes of data"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}}",
            "tensor a is at bytes -4 to 0 of 8 bytes of data"),
        Arguments.of(
            "{'a':{'dtype':'F16','shape':[1],'data_offsets':[0,4]}}",
            "tensor a of type F16 and shape [1] needs 2 bytes, its data_offsets span 4"),
        Arguments.of(
            "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]},"
                + "'b':{'dtype':'F16','shape':[3],'data_offsets':[0,6]}}",
            "tensors b and a overlap"),
        Arguments.of(
            "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}",
            "its header is not JSON (Duplicate field 'a'"));
  }

  @ParameterizedTest
  @MethodSource("badHeaders")
  void refusesHeader(String header, String reason) throws IOException {
    write(header, new byte[8]);
    assertThatThrownBy(() -> open("x.safetensors"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read %s: %s", hadoop("x.safetensors"), reason);
  }

  @Test
  void gapsAreAllowed() throws IOException {
    write("{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}   ", new byte[12]);
    try (SafetensorsFile file = open("x.safetensors")) {
      assertThat(file.read("a").toFloatVector()).containsExactly(0);
    }
  }

  @Test
  void refusesLengths() throws IOException {
    Files.write(dir.resolve("x.safetensors"), new byte[5]);
    assertThatThrownBy(() -> open("x.safetensors"))
        .hasMessage(
            "Cannot read %s: it is 5 bytes long, shorter than a header", hadoop("x.safetensors"));
    writeLength(1000);
    assertThatThrownBy(() -> open("x.safetensors"))
        .hasMessage(
            "Cannot read %s: its header claims 1000 bytes, the file has 16",
            hadoop("x.safetensors"));
    writeLength(100_000_001);
    assertThatThrownBy(() -> open("x.safetensors"))
        .hasMessage(
            "Cannot read %s: its header claims 100000001 bytes, more than 100000000",
            hadoop("x.safetensors"));
    writeLength(-1);
    assertThatThrownBy(() -> open("x.safetensors"))
        .hasMessage(
            "Cannot read %s: its header claims 18446744073709551615 bytes, more than 100000000",
            hadoop("x.safetensors"));
    assertThatThrownBy(() -> open("y.safetensors"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read %s: there is no such file", hadoop("y.safetensors"));
    assertThatThrownBy(() -> SafetensorsFile.open(new org.apache.hadoop.fs.Path(dir.toUri()), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("it is a directory");
  }

  @Test
  void damagedFilesNeverDoWorseThanRefuse() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put("first.weight", Nd4j.createFromArray(new float[][] {{1, 2}, {3, 4}}));
    tensors.put("second.weight", Nd4j.createFromArray(5f));
    SafetensorsWriter.write(hadoop("good.safetensors"), CONF, tensors, Map.of("format", "pt"));
    byte[] good = Files.readAllBytes(dir.resolve("good.safetensors"));
    for (int length = 0; length < good.length; length++) {
      readAll(Arrays.copyOf(good, length));
    }
    byte[] header = Arrays.copyOfRange(good, 8, good.length - 20);
    for (int bit = 0; bit < 8 * header.length; bit++) {
      byte[] damaged = header.clone();
      damaged[bit / 8] ^= (byte) (1 << (bit % 8));
      parse(damaged);
    }
    Random random = new Random(2);
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = header.clone();
      for (int j = 0; j < 4; j++) {
        damaged[random.nextInt(header.length)] = (byte) random.nextInt();
      }
      parse(damaged);
    }
  }

  private static void parse(byte[] json) {
    try {
      for (SafetensorsHeader.Tensor tensor :
          SafetensorsHeader.parse(json, 20, "x").tensors().values()) {
        assertThat(tensor.begin()).isNotNegative();
        assertThat(tensor.end()).isBetween(tensor.begin(), 20L);
      }
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageStartingWith("Cannot read x: ");
    }
  }

  private void readAll(byte[] bytes) throws IOException {
    Files.write(dir.resolve("x.safetensors"), bytes);
    try (SafetensorsFile file = open("x.safetensors")) {
      for (String name : file.names()) {
        if (file.dtype(name).startsWith("F32")) {
          assertThat(file.read(name).length()).isLessThanOrEqualTo(bytes.length / 4);
        }
      }
      fail("a file cut to %s bytes was read", bytes.length);
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageStartingWith("Cannot read ");
    }
  }

  @Test
  void goldenFile() {
    Path path = GoldenFiles.require("layer/search_n4r4_e1.f32.safetensors");
    Map<String, INDArray> tensors = GoldenFiles.tensors(path);
    assertThat(tensors.get("in.x").rank()).isEqualTo(3);
    assertThat(GoldenFiles.longs(path)).containsKey("derived.topk_index");
    assertThat(GoldenFiles.relativeError(tensors.get("in.x"), tensors.get("in.x"))).isZero();
    assertThat(GoldenFiles.json(path).isEmpty()).isFalse();
  }

  private void writeShorts(String dtype, int[] bits) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : bits) {
      data.putShort((short) value);
    }
    write(
        "{'a':{'dtype':'%s','shape':[%s],'data_offsets':[0,%s]}}"
            .formatted(dtype, bits.length, 2 * bits.length),
        data.array());
  }

  private void writeLength(long length) throws IOException {
    Files.write(
        dir.resolve("x.safetensors"),
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
  }

  private void write(String header, byte[] data) throws IOException {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json).put(data);
    Files.write(dir.resolve("x.safetensors"), bytes.array());
  }

  private org.apache.hadoop.fs.Path hadoop(String name) {
    return new org.apache.hadoop.fs.Path(dir.resolve(name).toUri());
  }

  private SafetensorsFile open(String name) throws IOException {
    return SafetensorsFile.open(hadoop(name), CONF);
  }
}
