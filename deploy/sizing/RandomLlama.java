import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Writes a checkpoint in the shape of LLaMA-2-7B with random bfloat16 weights, in shards as they
 * are published, a tokenizer of made-up words, and records of more than 128 tokens to train on: all
 * that a measurement of memory and time needs. Run as {@code java RandomLlama.java DIRECTORY}.
 * Other shapes follow as {@code HIDDEN INTERMEDIATE LAYERS HEADS VOCABULARY}.
 */
final class RandomLlama {
  private static final long SHARD = 5_000_000_000L;
  private static final double DEVIATION = 0.02;
  private static final int BYTES = 2;
  private static final int BLOCK = 1 << 16;
  private static final int WORDS = 160;
  private static final int RECORDS = 4;

  /** Quantiles of the normal distribution as bfloat16, from which weights are drawn. */
  private static final short[] NORMAL = new short[1 << 16];

  private record Tensor(String name, int... shape) {
    long bytes() {
      return IntStream.of(shape).asLongStream().reduce(BYTES, Math::multiplyExact);
    }
  }

  private RandomLlama() {}

  public static void main(String... arguments) throws IOException {
    int[] shape =
        arguments.length == 6
            ? IntStream.range(1, 6).map(i -> Integer.parseInt(arguments[i])).toArray()
            : new int[] {4096, 11008, 32, 32, 32000};
    if (arguments.length != 1 && arguments.length != 6) {
      System.err.println(
          "Usage: java RandomLlama.java DIRECTORY [HIDDEN INTERMEDIATE LAYERS HEADS VOCABULARY]");
      System.exit(2);
    }
    Random random = new Random(7);
    for (int i = 0; i < NORMAL.length; i++) {
      int bits = Float.floatToRawIntBits((float) (DEVIATION * random.nextGaussian()));
      NORMAL[i] = (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
    }
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    write(directory, config(shape), tokenizer(shape[4]));
    records(directory.resolve("train.jsonl"), shape[4], 1);
    records(directory.resolve("validation.jsonl"), shape[4], 2);
    shards(directory, tensors(shape[0], shape[1], shape[2], shape[4]));
  }

  private static void write(Path directory, String config, String tokenizer) throws IOException {
    Files.writeString(directory.resolve("config.json"), config);
    Files.writeString(directory.resolve("tokenizer.json"), tokenizer);
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\",\"pad_token\":\"<unk>\"}");
  }

  private static String config(int... shape) {
    return """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":%d,
         "intermediate_size":%d,"num_hidden_layers":%d,"num_attention_heads":%d,
         "num_key_value_heads":%d,"vocab_size":%d,"max_position_embeddings":4096,
         "rms_norm_eps":1e-05,"rope_theta":10000.0,"hidden_act":"silu","bos_token_id":1,
         "eos_token_id":2,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}
        """
        .formatted(shape[0], shape[1], shape[2], shape[3], shape[3], shape[4]);
  }

  private static String tokenizer(int vocabulary) {
    String words =
        IntStream.range(3, vocabulary)
            .mapToObj(i -> "\"w%d\":%d".formatted(i, i))
            .collect(Collectors.joining(","));
    String special =
        "{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
            + "\"normalized\":false,\"special\":true}";
    return """
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":[%s,%s,%s],
         "normalizer":null,"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,
         "decoder":null,"model":{"type":"WordLevel","unk_token":"<unk>",
         "vocab":{"<unk>":0,"<s>":1,"</s>":2,%s}}}
        """
        .formatted(
            special.formatted(0, "<unk>"),
            special.formatted(1, "<s>"),
            special.formatted(2, "</s>"),
            words);
  }

  /** Longer than 128 tokens each, so that all are cut to the same length. */
  private static void records(Path file, int vocabulary, int seed) throws IOException {
    Random random = new Random(seed);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < RECORDS; i++) {
      lines.add(
          "{\"instruction\":\"%s\",\"output\":\"%s\"}"
              .formatted(words(random, vocabulary, 8), words(random, vocabulary, WORDS)));
    }
    Files.write(file, lines);
  }

  private static String words(Random random, int vocabulary, int count) {
    return random
        .ints(count, 3, vocabulary)
        .mapToObj(word -> "w" + word)
        .collect(Collectors.joining(" "));
  }

  private static List<Tensor> tensors(int hidden, int intermediate, int layers, int vocabulary) {
    List<Tensor> tensors = new ArrayList<>();
    tensors.add(new Tensor("model.embed_tokens.weight", vocabulary, hidden));
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      for (String projection : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
        tensors.add(new Tensor(prefix + "self_attn." + projection + ".weight", hidden, hidden));
      }
      tensors.add(new Tensor(prefix + "mlp.gate_proj.weight", intermediate, hidden));
      tensors.add(new Tensor(prefix + "mlp.up_proj.weight", intermediate, hidden));
      tensors.add(new Tensor(prefix + "mlp.down_proj.weight", hidden, intermediate));
      tensors.add(new Tensor(prefix + "input_layernorm.weight", hidden));
      tensors.add(new Tensor(prefix + "post_attention_layernorm.weight", hidden));
    }
    tensors.add(new Tensor("model.norm.weight", hidden));
    tensors.add(new Tensor("lm_head.weight", vocabulary, hidden));
    return tensors;
  }

  private static void shards(Path directory, List<Tensor> tensors) throws IOException {
    List<List<Tensor>> shards = new ArrayList<>();
    long bytes = SHARD;
    for (Tensor tensor : tensors) {
      if (bytes + tensor.bytes() > SHARD) {
        shards.add(new ArrayList<>());
        bytes = 0;
      }
      shards.get(shards.size() - 1).add(tensor);
      bytes += tensor.bytes();
    }
    Map<String, String> places = new LinkedHashMap<>();
    for (int i = 0; i < shards.size(); i++) {
      String file = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
      shard(directory.resolve(file), shards.get(i), i);
      shards.get(i).forEach(tensor -> places.put(tensor.name(), file));
    }
    long total = tensors.stream().mapToLong(Tensor::bytes).sum();
    String map =
        places.entrySet().stream()
            .map(place -> "\"%s\":\"%s\"".formatted(place.getKey(), place.getValue()))
            .collect(Collectors.joining(","));
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"metadata\":{\"total_size\":%d},\"weight_map\":{%s}}".formatted(total, map));
  }

  private static void shard(Path file, List<Tensor> tensors, int seed) throws IOException {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
    long begin = 0;
    for (Tensor tensor : tensors) {
      long end = begin + tensor.bytes();
      header.append(
          ",\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(
                  tensor.name(),
                  IntStream.of(tensor.shape()).boxed().toList().toString().replace(" ", ""),
                  begin,
                  end));
      begin = end;
    }
    header.append('}').append(" ".repeat(7 - (header.length() + 7) % 8));
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    SplittableRandom random = new SplittableRandom(seed);
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      out.write(length.putLong(header.length()).array());
      out.write(header.toString().getBytes(StandardCharsets.US_ASCII));
      for (Tensor tensor : tensors) {
        write(tensor, random, out);
      }
    }
  }

  /** Norms are 1. */
  private static void write(Tensor tensor, SplittableRandom random, OutputStream out)
      throws IOException {
    ByteBuffer block = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
    short one = (short) (Float.floatToRawIntBits(1) >>> 16);
    for (long left = tensor.bytes(); left > 0; left -= block.position()) {
      block.clear().limit((int) Math.min(BLOCK, left));
      if (tensor.shape().length == 1) {
        while (block.hasRemaining()) {
          block.putShort(one);
        }
      }
      while (block.hasRemaining()) {
        long bits = random.nextLong();
        for (int i = 0; i < 4 && block.hasRemaining(); i++, bits >>>= 16) {
          block.putShort(NORMAL[(int) bits & 0xffff]);
        }
      }
      out.write(block.array(), 0, block.position());
    }
  }
}
