package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.Families;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.block.TransformerBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Builds networks from golden tensors and finds our view of a tensor by the released code's name.
 */
public final class GoldenNetwork {

  private static final String PREFIX = "base_model.model.";

  /** How far a tensor of small entries may be off, of its own largest. */
  private static final double CANCELLED = 1e-2;

  private static final Pattern NAME =
      Pattern.compile(
          "base_model\\.model\\.model\\.layers\\.(\\d+)\\.(?:self_attn|mlp)\\.(\\w+)\\."
              + "(lora_A|lora_B|lora_E|router|router_expert_vector|expertlora_E_vector)\\.(?:default_(\\d+)|router\\w*)(?:\\.weight)?");

  /** The released code's {@code llama}; its {@code llama3} has up before down, as LLaMA today. */
  public static final ModulePaths DOWN_BEFORE_UP =
      ModulePaths.decoder(
          "self_attn.q_proj",
          "self_attn.k_proj",
          "self_attn.v_proj",
          "self_attn.o_proj",
          "mlp.gate_proj",
          "mlp.down_proj",
          "mlp.up_proj");

  private GoldenNetwork() {}

  /** The released code's family of models: {@code llama} or {@code llama3}. */
  public static String architecture(JsonNode json) {
    // An index tells the family in the name alone: search_llama3.
    return json.has("arch") ? json.get("arch").asText() : json.get("name").asText().split("_")[1];
  }

  /** The modules in the order of the architecture's state dict. */
  public static ModulePaths paths(JsonNode json) {
    return architecture(json).equals("llama") ? DOWN_BEFORE_UP : Decoder.PATHS;
  }

  public static int topK(JsonNode json) {
    return json.path("top_k").asInt(2);
  }

  public static double alpha(JsonNode json) {
    return json.path("lora_alpha").asDouble(16);
  }

  /**
   * A decoder of tensors named {@code prefix + base_model.model.…}. What tensors do not tell is in
   * the configuration of the family's tiny model.
   */
  public static Backbone backbone(JsonNode json, Map<String, INDArray> tensors, String prefix) {
    LlamaConfig family = family(architecture(json));
    INDArray embeddings = tensors.get(prefix + PREFIX + "model.embed_tokens.weight");
    int hidden = (int) embeddings.columns();
    int intermediate = tensors.get(prefix + PREFIX + "model.layers.0.mlp.gate_proj.weight").rows();
    int keyWidth = tensors.get(prefix + PREFIX + "model.layers.0.self_attn.k_proj.weight").rows();
    int layers = 0;
    while (tensors.containsKey(block(prefix, layers) + "input_layernorm.weight")) {
      layers++;
    }
    LlamaConfig config =
        new LlamaConfig(
            hidden,
            intermediate,
            layers,
            family.heads(),
            keyWidth / family.headDim(),
            family.headDim(),
            embeddings.rows(),
            family.maxPositions(),
            family.epsilon(),
            family.rope(0),
            family.window(0),
            false);
    Map<String, INDArray> frozen = new HashMap<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      String block = block(prefix, layer);
      String part = TransformerBlock.tensor(layer, "");
      frozen.put(part + "attentionNorm.weight", tensors.get(block + "input_layernorm.weight"));
      frozen.put(
          part + "qkv.weight", stack(tensors, block + "self_attn.", "q_proj", "k_proj", "v_proj"));
      frozen.put(part + "o.weight", tensors.get(block + "self_attn.o_proj.weight"));
      frozen.put(part + "mlpNorm.weight", tensors.get(block + "post_attention_layernorm.weight"));
      frozen.put(part + "gateUp.weight", stack(tensors, block + "mlp.", "gate_proj", "up_proj"));
      frozen.put(part + "down.weight", tensors.get(block + "mlp.down_proj.weight"));
    }
    frozen.put(Backbone.WORDS, embeddings);
    frozen.put(CausalHead.NORM + ".weight", tensors.get(prefix + PREFIX + "model.norm.weight"));
    frozen.put(CausalHead.WEIGHT, tensors.get(prefix + PREFIX + "lm_head.weight"));
    return FrozenCopies.backbone(config, "golden", frozen);
  }

  private static LlamaConfig family(String architecture) {
    Path model = GoldenFiles.require("model/tiny_" + architecture);
    try {
      return (LlamaConfig)
          Families.config(model.toAbsolutePath().toUri().toString(), new Configuration());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String block(String prefix, int layer) {
    return prefix + PREFIX + "model.layers." + layer + ".";
  }

  private static INDArray stack(Map<String, INDArray> tensors, String block, String... modules) {
    INDArray[] parts = new INDArray[modules.length];
    for (int i = 0; i < modules.length; i++) {
      parts[i] = tensors.get(block + modules[i] + ".weight");
    }
    return Nd4j.concat(0, parts).dup('c');
  }

  /**
   * Our view of the tensor that the released code calls {@code name}; null if it is none of an
   * expert, router or GSV.
   */
  public static INDArray find(
      LoraMoeNetwork network, Function<String, INDArray> parameters, String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return null;
    }
    int layer = Integer.parseInt(matcher.group(1));
    ModuleExperts experts =
        network.modules().stream()
            .filter(m -> m.module().layer() == layer && m.module().name().equals(matcher.group(2)))
            .findFirst()
            .orElseThrow();
    String prefix = PartNames.prefix(experts.module());
    int expert = matcher.group(4) == null ? -1 : Integer.parseInt(matcher.group(4));
    int[] first = experts.firstColumns();
    return switch (matcher.group(3)) {
      case "lora_A" ->
          ArrayViews.rows(
              parameters.apply(prefix + "A"), first[expert], experts.ranks().get(expert));
      case "lora_B" ->
          ArrayViews.columns(
              parameters.apply(prefix + "B"), first[expert], experts.ranks().get(expert));
      case "lora_E" ->
          ArrayViews.slice(
              parameters.apply(prefix + "lambda"), first[expert], experts.ranks().get(expert), 1);
      case "router" -> parameters.apply(prefix + "router");
      case "router_expert_vector" -> parameters.apply(prefix + "experts");
      default -> parameters.apply(prefix + "ranks." + expert);
    };
  }

  /** Views of all parameters by our names. */
  public static Function<String, INDArray> parameters(LoraMoeNetwork network) {
    network.download();
    return NamedParameters.of(network.definition(), network.host().parameters())::view;
  }

  /** Sets all parameters to the tensors named {@code prefix + …}. */
  public static void load(LoraMoeNetwork network, Map<String, INDArray> tensors, String prefix) {
    Function<String, INDArray> parameters = parameters(network);
    tensors.forEach(
        (name, tensor) -> {
          if (name.startsWith(prefix)) {
            INDArray view = find(network, parameters, name.substring(prefix.length()));
            if (view != null) {
              view.assign(tensor);
            }
          }
        });
    network.upload();
  }

  /**
   * Largest relative error of our arrays against the tensors named {@code prefix + …}, each
   * asserted.
   *
   * @param tolerance by the released code's name of a tensor
   */
  public static double compare(
      LoraMoeNetwork network,
      Function<String, INDArray> actual,
      Map<String, INDArray> tensors,
      String prefix,
      ToDoubleFunction<String> tolerance) {
    network.download();
    double largest = 0;
    int compared = 0;
    for (Map.Entry<String, INDArray> entry : tensors.entrySet()) {
      if (!entry.getKey().startsWith(prefix)) {
        continue;
      }
      String name = entry.getKey().substring(prefix.length());
      INDArray ours = find(network, actual, name);
      if (ours != null) {
        double allowed = tolerance.applyAsDouble(name);
        largest =
            Math.max(
                largest, GoldenFiles.assertClose(entry.getKey(), ours, entry.getValue(), allowed));
        compared++;
      }
    }
    if (compared == 0) {
      throw new AssertionError("nothing to compare under " + prefix);
    }
    return largest;
  }

  /**
   * Largest error of a vector of GSVs or weights against the tensors named {@code prefix + …},
   * relative to the largest entry of them all, asserted. In tensors of far smaller entries than
   * that so much cancels that rounding is {@link #CANCELLED} of theirs, here and in the vectors.
   */
  public static double compareVector(
      LoraMoeNetwork network,
      INDArray vector,
      Map<String, INDArray> tensors,
      String prefix,
      double tolerance) {
    double scale =
        tensors.entrySet().stream()
            .filter(entry -> entry.getKey().startsWith(prefix))
            .mapToDouble(entry -> entry.getValue().amaxNumber().doubleValue())
            .max()
            .orElseThrow(() -> new AssertionError("nothing to compare under " + prefix));
    Function<String, INDArray> named = named(network, vector);
    double largest = 0;
    for (Map.Entry<String, INDArray> entry : tensors.entrySet()) {
      if (entry.getKey().startsWith(prefix)) {
        INDArray ours = find(network, named, entry.getKey().substring(prefix.length()));
        GoldenFiles.assertClose(entry.getKey(), ours, entry.getValue(), CANCELLED);
        double error = ours.sub(entry.getValue()).amaxNumber().doubleValue() / scale;
        assertThat(error).as("error of %s", entry.getKey()).isLessThanOrEqualTo(tolerance);
        largest = Math.max(largest, error);
      }
    }
    return largest;
  }

  /** Gradients that are analytically zero are noise in the released code: absolute 1e-7. */
  public static double closeOrZero(
      String name, INDArray actual, INDArray expected, double tolerance) {
    if (expected.amaxNumber().doubleValue() < 1e-7) {
      assertThat(actual.amaxNumber().doubleValue()).as(name).isLessThan(1e-7);
      return 0;
    }
    return GoldenFiles.assertClose(name, actual, expected, tolerance);
  }

  /**
   * A batch {@code prefix + input_ids/attention_mask/labels} of {@code rows} rows; padding is left
   * out.
   */
  public static TokenBatch batch(Map<String, long[]> longs, String prefix, int rows) {
    long[] ids = longs.get(prefix + "input_ids");
    long[] mask = longs.get(prefix + "attention_mask");
    long[] labels = longs.get(prefix + "labels");
    int columns = ids.length / rows;
    int[] starts = new int[rows + 1];
    int[] tokens = new int[ids.length];
    int[] kept = new int[ids.length];
    int size = 0;
    for (int row = 0; row < rows; row++) {
      for (int t = row * columns; t < (row + 1) * columns; t++) {
        if (mask[t] == 1) {
          tokens[size] = (int) ids[t];
          kept[size++] = (int) labels[t];
        }
      }
      starts[row + 1] = size;
    }
    return new TokenBatch(
        java.util.Arrays.copyOf(tokens, size),
        new int[size],
        java.util.Arrays.copyOf(kept, size),
        starts);
  }

  /**
   * A search network of as many experts and ranks as there are tensors named {@code prefix + …}; no
   * dropout, no balance loss.
   */
  public static NetworkDefinition search(
      JsonNode json, BackboneConfig config, Map<String, INDArray> tensors, String prefix) {
    List<ModuleExperts> modules = new ArrayList<>();
    for (LinearModule module : config.linearModules()) {
      String path = prefix + PREFIX + path(module) + ".";
      List<Integer> ranks = new ArrayList<>();
      INDArray a;
      while ((a = tensors.get(path + "lora_A.default_" + ranks.size() + ".weight")) != null) {
        ranks.add(a.rows());
      }
      modules.add(ModuleExperts.of(module, ranks, alpha(json), RoutingMethod.topK(topK(json))));
    }
    return definition(config, Stage.SEARCH, modules);
  }

  /**
   * The parameters in a vector as long as the GSVs or as the weights; those of the other are zero.
   */
  public static Function<String, INDArray> named(LoraMoeNetwork network, INDArray vector) {
    INDArray flat = Nd4j.zeros(DataType.FLOAT, network.host().size());
    boolean weights = vector.length() == network.weights().length();
    long begin = weights ? flat.length() - vector.length() : 0;
    ArrayViews.slice(flat, begin, vector.length()).assign(vector);
    return NamedParameters.of(network.definition(), flat)::view;
  }

  /** A network of the given experts; no dropout, no balance loss. */
  public static NetworkDefinition definition(
      BackboneConfig config, Stage stage, List<ModuleExperts> modules) {
    return new NetworkDefinition("memory:golden", config, stage, modules, 0, 0, 0, Pooling.MEAN, 1);
  }

  /** The name of a module in the released code. */
  public static String path(LinearModule module) {
    String block =
        module.name().startsWith("gate")
                || module.name().startsWith("up")
                || module.name().startsWith("down")
            ? "mlp"
            : "self_attn";
    return "model.layers." + module.layer() + "." + block + "." + module.name();
  }
}
