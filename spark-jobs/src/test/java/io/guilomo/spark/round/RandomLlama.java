package io.guilomo.spark.round;

import io.guilomo.data.Example;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.spark.data.Shard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A random two-layer LLaMA on disk, and shards of random examples for it. */
public final class RandomLlama {

  private static final int VOCABULARY = 11;

  private RandomLlama() {}

  public static void write(Path model) throws IOException {
    Files.writeString(
        model.resolve("config.json"),
        """
        {"architectures":["LlamaForCausalLM"],"hidden_size":8,"intermediate_size":6,"num_hidden_layers":2,
         "num_attention_heads":4,"num_key_value_heads":2,"vocab_size":11,"rms_norm_eps":1e-5,"hidden_act":"silu"}
        """);
    SafetensorsWriter.write(
        new org.apache.hadoop.fs.Path(model.resolve("model.safetensors").toUri()),
        new Configuration(),
        tensors(),
        Map.of());
  }

  static Shard shard(int index) {
    Random random = new Random(index);
    return new Shard(index, examples(random, 5), examples(random, 3));
  }

  private static Example[] examples(Random random, int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              int[] tokens = random.ints(3 + random.nextInt(3), 0, VOCABULARY).toArray();
              return new Example(tokens, new int[tokens.length], tokens.clone());
            })
        .toArray(Example[]::new);
  }

  private static Map<String, INDArray> tensors() {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    Random random = new Random(3);
    put(tensors, random, "model.embed_tokens.weight", VOCABULARY, 8);
    for (int layer = 0; layer < 2; layer++) {
      String prefix = "model.layers." + layer + ".";
      put(tensors, random, prefix + "input_layernorm.weight", 8);
      put(tensors, random, prefix + "self_attn.q_proj.weight", 8, 8);
      put(tensors, random, prefix + "self_attn.k_proj.weight", 4, 8);
      put(tensors, random, prefix + "self_attn.v_proj.weight", 4, 8);
      put(tensors, random, prefix + "self_attn.o_proj.weight", 8, 8);
      put(tensors, random, prefix + "post_attention_layernorm.weight", 8);
      put(tensors, random, prefix + "mlp.gate_proj.weight", 6, 8);
      put(tensors, random, prefix + "mlp.up_proj.weight", 6, 8);
      put(tensors, random, prefix + "mlp.down_proj.weight", 8, 6);
    }
    put(tensors, random, "model.norm.weight", 8);
    put(tensors, random, "lm_head.weight", VOCABULARY, 8);
    return tensors;
  }

  private static void put(
      Map<String, INDArray> tensors, Random random, String name, long... shape) {
    float[] values = new float[(int) Nd4j.create(shape).length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    tensors.put(name, Nd4j.createFromArray(values).reshape(shape));
  }
}
