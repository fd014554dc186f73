package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.backbone.LinearModule;
import io.guilomo.backbone.LlamaBackbone;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.backbone.Rope;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.TokenBatch;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ArrayViews;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Builds networks from golden tensors and finds our view of a tensor by the released code's name.
 */
public final class GoldenNetwork {

  private static final String PREFIX = "base_model.model.";
  private static final Pattern NAME =
      Pattern.compile(
          "base_model\\.model\\.model\\.layers\\.(\\d+)\\.(?:self_attn|mlp)\\.(\\w+)\\."
              + "(lora_A|lora_B|lora_E|router|router_expert_vector|expertlora_E_vector)\\.(?:default_(\\d+)|router\\w*)(?:\\.weight)?");

  private GoldenNetwork() {}

  /**
   * The tiny decoder of the golden models, from tensors named {@code prefix + base_model.model.…}.
   */
  public static LlamaBackbone backbone(Map<String, INDArray> tensors, String prefix) {
    INDArray embeddings = tensors.get(prefix + PREFIX + "model.embed_tokens.weight");
    int hidden = (int) embeddings.columns();
    int intermediate = tensors.get(prefix + PREFIX + "model.layers.0.mlp.gate_proj.weight").rows();
    int keyWidth = tensors.get(prefix + PREFIX + "model.layers.0.self_attn.k_proj.weight").rows();
    int heads = 4;
    int headDim = hidden / heads;
    LlamaConfig config =
        new LlamaConfig(
            hidden,
            intermediate,
            2,
            heads,
            keyWidth / headDim,
            headDim,
            embeddings.rows(),
            128,
            1e-6f,
            new Rope(10000, null),
            0,
            false);
    List<LlamaBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      String block = prefix + PREFIX + "model.layers." + layer + ".";
      layers.add(
          new LlamaBackbone.Layer(
              tensors.get(block + "input_layernorm.weight"),
              stack(tensors, block + "self_attn.", "q_proj", "k_proj", "v_proj"),
              tensors.get(block + "self_attn.o_proj.weight"),
              tensors.get(block + "post_attention_layernorm.weight"),
              stack(tensors, block + "mlp.", "gate_proj", "up_proj"),
              tensors.get(block + "mlp.down_proj.weight")));
    }
    return new LlamaBackbone(
        config,
        "golden",
        embeddings,
        layers,
        tensors.get(prefix + PREFIX + "model.norm.weight"),
        tensors.get(prefix + PREFIX + "lm_head.weight"));
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
          ArrayViews.stretch(
              parameters.apply(prefix + "lambda"), first[expert], experts.ranks().get(expert), 1);
      case "router" -> parameters.apply(prefix + "router");
      case "router_expert_vector" -> parameters.apply(prefix + "experts");
      default -> parameters.apply(prefix + "ranks." + expert);
    };
  }

  /** Sets all parameters to the tensors named {@code prefix + …}. */
  public static void load(LoraMoeNetwork network, Map<String, INDArray> tensors, String prefix) {
    tensors.forEach(
        (name, tensor) -> {
          if (name.startsWith(prefix)) {
            INDArray view = find(network, network::parameter, name.substring(prefix.length()));
            if (view != null) {
              view.assign(tensor);
            }
          }
        });
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

  /** Gradients that are analytically zero are noise in the released code: absolute 1e-7. */
  static double closeOrZero(String name, INDArray actual, INDArray expected, double tolerance) {
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
   * A search network of {@code experts} experts of rank {@code rank} on all modules; no dropout, no
   * balance loss.
   */
  public static NetworkDefinition search(
      LlamaConfig config, int experts, int rank, int topK, double alpha) {
    return definition(
        config,
        Stage.SEARCH,
        config.linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, experts, rank, alpha, topK))
            .toList());
  }

  /** A network of the given experts; no dropout, no balance loss. */
  public static NetworkDefinition definition(
      LlamaConfig config, Stage stage, List<ModuleExperts> modules) {
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
