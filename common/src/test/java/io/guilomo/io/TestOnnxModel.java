package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.network.Backbone;
import java.io.ByteArrayOutputStream;
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
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A BERT of one layer, hidden 4, two heads, intermediate 6, vocabulary 5, positions 7, in the form
 * PyTorch exports.
 */
class TestOnnxModel {

  private static final Configuration CONF = new Configuration();
  private static final String CONFIG =
      """
      {"model_type":"bert","hidden_size":4,"intermediate_size":6,"num_hidden_layers":1,"num_attention_heads":2,
       "vocab_size":5,"max_position_embeddings":7}
      """;

  @TempDir Path dir;

  @Test
  void loadsLikeTheSameSafetensors() throws IOException {
    Map<String, INDArray> tensors = tensors();
    Files.write(dir.resolve("any.onnx"), model(tensors));
    Backbone onnx = load();
    assertThat(onnx.config()).isEqualTo(new BertConfig(4, 6, 1, 2, 5, 7, 2, 1e-12f));

    Files.writeString(dir.resolve("config.json"), CONFIG);
    assertThat(FrozenCopies.tensors(load())).isEqualTo(FrozenCopies.tensors(onnx));
    for (String prefix : new String[] {"", "bert."}) {
      Map<String, INDArray> named = new LinkedHashMap<>();
      tensors.forEach((name, tensor) -> named.put(prefix + old(prefix, name), tensor));
      SafetensorsWriter.write(file("model.safetensors"), CONF, named, Map.of());
      Backbone backbone = load();
      assertThat(backbone.config()).isEqualTo(onnx.config());
      assertThat(FrozenCopies.tensors(backbone)).isEqualTo(FrozenCopies.tensors(onnx));
    }
    Map<String, INDArray> read = FrozenCopies.tensors(onnx);
    INDArray key = read.get("block-0.qkv.weight").getRow(5);
    assertThat(key).isEqualTo(tensors.get("encoder.layer.0.attention.self.key.weight").getRow(1));
    assertThat(onnx.bias("block-0.qkv").getFloat(5))
        .isEqualTo(tensors.get("encoder.layer.0.attention.self.key.bias").getFloat(1));
    assertThat(read.get("block-0.output.weight").ordering()).isEqualTo('c');
    assertThat(read.get("block-0.output.weight"))
        .isEqualTo(tensors.get("encoder.layer.0.output.dense.weight"));
  }

  /** Some exporters name the transposed weights themselves and the nodes not at all. */
  @Test
  void namedTransposedWeights() throws IOException {
    Files.write(dir.resolve("model.onnx"), model(tensors()));
    Backbone expected = load();
    Files.write(dir.resolve("model.onnx"), model(tensors(), false));
    Files.writeString(dir.resolve("config.json"), CONFIG);
    assertThat(FrozenCopies.tensors(load())).isEqualTo(FrozenCopies.tensors(expected));
  }

  /** The first BERT checkpoints call the norms' parameters gamma and beta. */
  private static String old(String prefix, String name) {
    return prefix.isEmpty()
        ? name
        : name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta");
  }

  @Test
  void refusesBertConfigs() throws IOException {
    Files.write(dir.resolve("model.onnx"), model(tensors()));
    refusesConfig(
        "\"vocab_size\"",
        "\"hidden_act\":\"selu\",\"vocab_size\"",
        "hidden_act is selu, supported are gelu, gelu_fast, gelu_new, gelu_python, "
            + "gelu_pytorch_tanh, relu, silu, swish, tanh");
    refusesConfig(
        "\"vocab_size\"",
        "\"position_embedding_type\":\"relative_key\",\"vocab_size\"",
        "position_embedding_type is relative_key, supported is absolute");
    refusesConfig(
        "\"vocab_size\"",
        "\"is_decoder\":true,\"vocab_size\"",
        "is_decoder is true, which is not supported");
    refusesConfig(":2,", ":3,", "hidden_size is 4, not a multiple of num_attention_heads 3");
  }

  private void refusesConfig(String part, String replacement, String reason) throws IOException {
    Files.writeString(dir.resolve("config.json"), CONFIG.replace(part, replacement));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read %s/config.json: %s", dir, reason);
  }

  @Test
  void refusesTensors() throws IOException {
    Map<String, INDArray> tensors = tensors();
    tensors.remove("encoder.layer.0.attention.self.value.weight");
    Files.write(dir.resolve("model.onnx"), model(tensors));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: tensor encoder.layer.0.attention.self.value.weight is missing", dir);

    tensors.put("encoder.layer.0.attention.self.value.weight", Nd4j.zeros(DataType.FLOAT, 3, 4));
    Files.write(dir.resolve("model.onnx"), model(tensors));
    assertThatThrownBy(this::load)
        .hasMessage(
            "Cannot load %s: tensor encoder.layer.0.attention.self.value.weight has shape [3, 4], expected [4, 4]",
            dir);
  }

  @Test
  void refusesShapesBeyondTheFile() throws IOException {
    ByteArrayOutputStream dimensions = new ByteArrayOutputStream();
    for (int d = 0; d < 2; d++) {
      dimensions.writeBytes(new byte[] {1 << 3, -1, -1, -1, -1, 7});
    }
    byte[] tensor =
        message(
            dimensions.toByteArray(),
            new byte[] {2 << 3, 1},
            text(8, "embeddings.word_embeddings.weight"),
            bytes(9, new byte[4]));
    Files.write(dir.resolve("model.onnx"), message(bytes(7, bytes(5, tensor))));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read %s/model.onnx: tensor embeddings.word_embeddings.weight has the impossible shape "
                + "[2147483647, 2147483647]",
            dir);
    String text = new String(model(tensors()), StandardCharsets.ISO_8859_1);
    Files.write(
        dir.resolve("model.onnx"),
        text.replace("\b\5\b\4\20\1B!embeddings.word", "\b\155\b\4\20\1B!embeddings.word")
            .getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read %s/model.onnx: tensor embeddings.word_embeddings.weight of type F32 and shape [109, 4] needs "
                + "1744 bytes, its raw_data has 80",
            dir);
  }

  @Test
  void refusesGraphThatDoesNotTellHeads() throws IOException {
    byte[] model = model(tensors());
    String text =
        new String(model, StandardCharsets.ISO_8859_1).replace("self/Concat", "self/Cancat");
    Files.write(dir.resolve("model.onnx"), text.getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read %s/model.onnx: there is no config.json beside it, and the graph does not tell the constant "
                + "that /encoder/layer.0/attention/self/Concat reads",
            dir);
    Files.writeString(dir.resolve("config.json"), CONFIG);
    assertThat((load()).config().heads()).isEqualTo(2);
  }

  @Test
  void refusesSeveralOnnxFiles() throws IOException {
    Files.write(dir.resolve("a.onnx"), model(tensors()));
    Files.write(dir.resolve("b.onnx"), model(tensors()));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: it contains several ONNX files (a.onnx, b.onnx), none of them called model.onnx",
            dir);
  }

  @Test
  void refusesOtherFiles() throws IOException {
    Files.write(dir.resolve("model.onnx"), new byte[0]);
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot read %s/model.onnx: it is not an ONNX file with weights", dir);
    Files.writeString(dir.resolve("model.onnx"), "version https://git-lfs.github.com/spec/v1");
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/model.onnx: it is a Git LFS pointer");
    Files.writeString(dir.resolve("model.onnx"), "<!DOCTYPE html>");
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read %s/model.onnx: it is not a valid ONNX file (", dir);
    byte[] huge = message(bytes(7, new byte[0]));
    huge[1] = 0x7f;
    Files.write(dir.resolve("model.onnx"), huge);
    assertThatThrownBy(this::load)
        .hasMessage(
            "Cannot read %s/model.onnx: it is not a valid ONNX file (field 7 at byte 2 claims 127 bytes)",
            dir);
  }

  @Test
  void damagedFilesNeverDoWorseThanRefuse() throws IOException {
    byte[] good = model(tensors());
    for (int length = 0; length < good.length; length += 37) {
      tryLoad(Arrays.copyOf(good, length));
    }
    Random random = new Random(5);
    for (int i = 0; i < 150; i++) {
      byte[] damaged = good.clone();
      for (int j = 0; j <= i % 4; j++) {
        damaged[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
      }
      tryLoad(damaged);
    }
  }

  private void tryLoad(byte[] bytes) throws IOException {
    Files.write(dir.resolve("model.onnx"), bytes);
    try {
      load();
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageStartingWith("Cannot ");
    }
  }

  private static Map<String, INDArray> tensors() {
    String layer = "encoder.layer.0.";
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("embeddings.word_embeddings.weight", new long[] {5, 4});
    shapes.put("embeddings.position_embeddings.weight", new long[] {7, 4});
    shapes.put("embeddings.token_type_embeddings.weight", new long[] {2, 4});
    shapes.put("embeddings.LayerNorm.weight", new long[] {4});
    shapes.put("embeddings.LayerNorm.bias", new long[] {4});
    for (String module : new String[] {"self.query", "self.key", "self.value", "output.dense"}) {
      shapes.put(layer + "attention." + module + ".weight", new long[] {4, 4});
      shapes.put(layer + "attention." + module + ".bias", new long[] {4});
    }
    shapes.put(layer + "attention.output.LayerNorm.weight", new long[] {4});
    shapes.put(layer + "attention.output.LayerNorm.bias", new long[] {4});
    shapes.put(layer + "intermediate.dense.weight", new long[] {6, 4});
    shapes.put(layer + "intermediate.dense.bias", new long[] {6});
    shapes.put(layer + "output.dense.weight", new long[] {4, 6});
    shapes.put(layer + "output.dense.bias", new long[] {4});
    shapes.put(layer + "output.LayerNorm.weight", new long[] {4});
    shapes.put(layer + "output.LayerNorm.bias", new long[] {4});
    Nd4j.getRandom().setSeed(4);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> tensors.put(name, Nd4j.rand(DataType.FLOAT, shape)));
    return tensors;
  }

  private static byte[] model(Map<String, INDArray> tensors) {
    return model(tensors, true);
  }

  /**
   * The ONNX file of the tensors: linear weights transposed, dimensions packed in every second one.
   */
  private static byte[] model(Map<String, INDArray> tensors, boolean anonymousWeights) {
    ByteArrayOutputStream graph = new ByteArrayOutputStream();
    int anonymous = 885;
    ByteArrayOutputStream initialisers = new ByteArrayOutputStream();
    for (Map.Entry<String, INDArray> entry : tensors.entrySet()) {
      String name = entry.getKey();
      INDArray tensor = entry.getValue();
      if (name.startsWith("encoder") && tensor.rank() == 2) {
        String module = "/" + name.replace(".weight", "").replaceAll("\\.(?!\\d)", "/");
        anonymous++;
        name = anonymousWeights ? "onnx::MatMul_" + anonymous : name;
        String node = anonymousWeights ? module + "/MatMul" : "";
        write(graph, bytes(1, node("MatMul", node, "out" + anonymous, "x", name)));
        tensor = tensor.transpose().dup('c');
      }
      byte[] shape = new byte[0];
      if (anonymous % 2 == 0) {
        byte[] packed = new byte[tensor.rank()];
        for (int d = 0; d < packed.length; d++) {
          packed[d] = (byte) tensor.size(d);
        }
        shape = bytes(1, packed);
      } else {
        for (long size : tensor.shape()) {
          shape = message(shape, new byte[] {1 << 3, (byte) size});
        }
      }
      ByteBuffer raw = little((int) (4 * tensor.length()));
      raw.asFloatBuffer().put(tensor.data().asFloat());
      write(
          initialisers,
          bytes(5, message(shape, new byte[] {2 << 3, 1}, text(8, name), bytes(9, raw.array()))));
    }
    write(graph, bytes(1, constant("heads", 7, little(8).putLong(2))));
    write(graph, bytes(1, constant("epsilon", 1, little(4).putFloat(1e-12f))));
    write(
        graph,
        bytes(
            1,
            node(
                "Concat",
                "/encoder/layer.0/attention/self/Concat",
                "c",
                "b",
                "t",
                "heads",
                "heads")));
    write(graph, bytes(1, node("Add", "/embeddings/LayerNorm/Add", "d", "variance", "epsilon")));
    write(
        graph,
        bytes(1, node("Erf", "/encoder/layer.0/intermediate/intermediate_act_fn/Erf", "e", "x")));
    write(graph, initialisers.toByteArray());
    return message(new byte[] {1 << 3, 7}, text(2, "pytorch"), bytes(7, graph.toByteArray()));
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] constant(String output, int type, ByteBuffer raw) {
    byte[] tensor = message(new byte[] {1 << 3, 1, 2 << 3, (byte) type}, bytes(9, raw.array()));
    return message(
        text(2, output),
        text(4, "Constant"),
        bytes(5, message(text(1, "value"), bytes(5, tensor))));
  }

  private static byte[] node(String operator, String name, String output, String... inputs) {
    byte[] node = message(text(2, output), text(3, name), text(4, operator));
    for (String input : inputs) {
      node = message(node, text(1, input));
    }
    return node;
  }

  private static byte[] text(int field, String text) {
    return bytes(field, text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] bytes(int field, byte[] value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(field << 3 | 2);
    int length = value.length;
    for (; length > 0x7f; length >>>= 7) {
      out.write(length & 0x7f | 0x80);
    }
    out.write(length);
    write(out, value);
    return out.toByteArray();
  }

  private static byte[] message(byte[]... fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] field : fields) {
      write(out, field);
    }
    return out.toByteArray();
  }

  private static void write(ByteArrayOutputStream out, byte[] bytes) {
    out.write(bytes, 0, bytes.length);
  }

  private Backbone load() throws IOException {
    Backbone loaded = ModelReader.load(dir.toString(), CONF);
    assertThat(ModelReader.digest(dir.toString(), CONF)).isEqualTo(loaded.digest());
    return loaded;
  }

  private org.apache.hadoop.fs.Path file(String name) {
    return new org.apache.hadoop.fs.Path(dir.resolve(name).toUri());
  }
}
