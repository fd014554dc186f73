package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.Recompute;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.network.block.TransformerBlock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Random models of a few thousand parameters, whose values depend on their seed alone. */
public final class TinyModels {

  private static final int HIDDEN = 16;
  private static final int INTERMEDIATE = 24;
  private static final int VOCABULARY = 11;
  private static final int LAYERS = 2;
  private static final int HEADS = 4;
  private static final int POSITIONS = 32;

  private TinyModels() {}

  /** A decoder of 2 layers with 4 heads over 2 key-value heads. */
  public static Backbone llama(long seed) {
    return llama(seed, 2, 0);
  }

  /**
   * A decoder of 2 layers with 4 heads.
   *
   * @param slidingWindow tokens that a position sees; 0 for all
   */
  public static Backbone llama(long seed, int keyValueHeads, int slidingWindow) {
    Random random = new Random(seed);
    int headDim = HIDDEN / HEADS;
    LlamaConfig config =
        new LlamaConfig(
            HIDDEN,
            INTERMEDIATE,
            LAYERS,
            HEADS,
            keyValueHeads,
            headDim,
            VOCABULARY,
            POSITIONS,
            1e-6f,
            new Rope(10000, null),
            slidingWindow,
            false);
    Map<String, INDArray> tensors = new HashMap<>();
    for (int layer = 0; layer < LAYERS; layer++) {
      String block = TransformerBlock.tensor(layer, "");
      tensors.put(block + "attentionNorm.weight", ones(random));
      tensors.put(
          block + "qkv.weight", normal(random, (HEADS + 2 * keyValueHeads) * headDim, HIDDEN));
      tensors.put(block + "o.weight", normal(random, HIDDEN, HIDDEN));
      tensors.put(block + "mlpNorm.weight", ones(random));
      tensors.put(block + "gateUp.weight", normal(random, 2 * INTERMEDIATE, HIDDEN));
      tensors.put(block + "down.weight", normal(random, HIDDEN, INTERMEDIATE));
    }
    tensors.put(Backbone.WORDS, normal(random, VOCABULARY, HIDDEN));
    tensors.put(CausalHead.NORM + ".weight", ones(random));
    tensors.put(CausalHead.WEIGHT, normal(random, VOCABULARY, HIDDEN));
    return FrozenCopies.backbone(config, "tiny", tensors);
  }

  /** An encoder of 2 layers. */
  public static Backbone bert(long seed) {
    Random random = new Random(seed);
    BertConfig config =
        new BertConfig(HIDDEN, INTERMEDIATE, LAYERS, HEADS, VOCABULARY, POSITIONS, 2, 1e-12f);
    Map<String, INDArray> tensors = new HashMap<>();
    for (int layer = 0; layer < LAYERS; layer++) {
      String block = TransformerBlock.tensor(layer, "");
      linear(tensors, random, block + "qkv", 3 * HIDDEN, HIDDEN);
      linear(tensors, random, block + "attentionOutput", HIDDEN, HIDDEN);
      norm(tensors, random, block + "attentionNorm");
      linear(tensors, random, block + "intermediate", INTERMEDIATE, HIDDEN);
      linear(tensors, random, block + "output", HIDDEN, INTERMEDIATE);
      norm(tensors, random, block + "outputNorm");
    }
    tensors.put(Backbone.WORDS, normal(random, VOCABULARY, HIDDEN));
    tensors.put("embedding.positions", normal(random, POSITIONS, HIDDEN));
    tensors.put("embedding.segments", normal(random, 2, HIDDEN));
    norm(tensors, random, "embedding.norm");
    return FrozenCopies.backbone(config, "tiny", tensors);
  }

  /** Four experts of rank 3 on every module: what a search needs. */
  public static List<ModuleExperts> uniform(BackboneConfig config) {
    return config.linearModules().stream()
        .map(module -> ModuleExperts.uniform(module, 4, 3, 6, RoutingMethod.topK(2)))
        .toList();
  }

  /** One to four experts a module, two to four in the search stage, of ranks from 1 to 3. */
  public static List<ModuleExperts> unequal(BackboneConfig config, Stage stage) {
    return unequal(config, stage, RoutingMethod.topK(2));
  }

  /** As {@link #unequal(BackboneConfig, Stage)}. */
  public static List<ModuleExperts> unequal(
      BackboneConfig config, Stage stage, RoutingMethod routing) {
    return unequal(config, stage, new ExpertForm(routing, Scaling.overRank(6)));
  }

  /** As {@link #unequal(BackboneConfig, Stage)}. */
  public static List<ModuleExperts> unequal(BackboneConfig config, Stage stage, ExpertForm form) {
    List<List<Integer>> ranks =
        Stream.of(List.of(2, 1, 3), List.of(1, 3), List.of(3), List.of(2, 2, 1, 3))
            .filter(list -> stage == Stage.FINE_TUNING || list.size() > 1)
            .toList();
    List<LinearModule> modules = config.linearModules();
    List<ModuleExperts> experts = new ArrayList<>();
    for (int i = 0; i < modules.size(); i++) {
      experts.add(ModuleExperts.of(modules.get(i), ranks.get(i % ranks.size()), form));
    }
    return experts;
  }

  /** Whether a backbone is an encoder, over which definitions here put a classifier. */
  public static boolean classifies(Backbone backbone) {
    return !backbone.config().attention(0).causal();
  }

  /** A definition over a tiny model, with dropout and a balance loss. */
  public static NetworkDefinition definition(
      Backbone backbone,
      Stage stage,
      List<ModuleExperts> modules,
      double dropout,
      double loadBalance) {
    int classes = classifies(backbone) ? 3 : 0;
    return new NetworkDefinition(
        "memory:tiny",
        backbone.config(),
        stage,
        modules,
        dropout,
        loadBalance,
        classes,
        Pooling.MEAN,
        5);
  }

  /** A network over a copy of a backbone of the host in the memory of the kernels. */
  public static LoraMoeNetwork network(
      NetworkDefinition definition, Backbone backbone, Kernels kernels) {
    return network(definition, backbone, kernels, Recompute.NONE);
  }

  /** As {@link #network(NetworkDefinition, Backbone, Kernels)}. */
  public static LoraMoeNetwork network(
      NetworkDefinition definition, Backbone backbone, Kernels kernels, Recompute recompute) {
    return LoraMoeNetwork.create(
        definition, FrozenCopies.of(backbone, kernels), kernels, recompute);
  }

  /** A fine-tuning network over a tiny decoder with unequal experts, none of which is zero. */
  public static LoraMoeNetwork tuned(Backbone backbone, Kernels kernels) {
    List<ModuleExperts> modules = unequal(backbone.config(), Stage.FINE_TUNING);
    LoraMoeNetwork network =
        network(definition(backbone, Stage.FINE_TUNING, modules, 0.1, 0), backbone, kernels);
    shake(network, 7, 0.1);
    return network;
  }

  /** A causal batch: sequences of the given lengths, every token a label. */
  public static TokenBatch causal(long seed, int... lengths) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    for (int length : lengths) {
      int[] tokens = random.ints(length, 0, VOCABULARY).toArray();
      examples.add(new Example(tokens, new int[length], tokens));
    }
    return TokenBatch.of(examples);
  }

  /** A batch to classify into 3 classes. */
  public static TokenBatch classified(long seed, int... lengths) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    for (int length : lengths) {
      int[] labels = new int[length];
      Arrays.fill(labels, TokenBatch.IGNORED);
      labels[0] = random.nextInt(3);
      examples.add(
          new Example(
              random.ints(length, 0, VOCABULARY).toArray(),
              random.ints(length, 0, 2).toArray(),
              labels));
    }
    return TokenBatch.of(examples);
  }

  /**
   * Moves all weights away from where they start, so that no expert and no gradient is zero; the
   * GSVs stay.
   *
   * @param size deviation of what is added
   */
  public static void shake(LoraMoeNetwork network, long seed, double size) {
    network.download();
    INDArray weights = weights(network);
    Random random = new Random(seed);
    float[] values = weights.toFloatVector();
    for (int i = 0; i < values.length; i++) {
      values[i] += (float) (size * random.nextGaussian());
    }
    weights.assign(Nd4j.createFromArray(values));
    network.upload();
  }

  /** The weights in the graph. */
  public static INDArray weights(LoraMoeNetwork network) {
    INDArray all = network.host().parameters();
    long count = network.weights().length();
    return ArrayViews.slice(all, all.length() - count, count);
  }

  private static void linear(
      Map<String, INDArray> tensors, Random random, String name, int rows, int columns) {
    tensors.put(name + ".weight", normal(random, rows, columns));
    tensors.put(name + ".bias", normal(random, rows));
  }

  private static void norm(Map<String, INDArray> tensors, Random random, String name) {
    tensors.put(name + ".weight", ones(random));
    tensors.put(name + ".bias", normal(random, HIDDEN));
  }

  private static INDArray ones(Random random) {
    return normal(random, HIDDEN).addi(1);
  }

  private static INDArray normal(Random random, int... shape) {
    int length = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    float[] values = new float[length];
    // About the size that keeps the states as large as they come in.
    double deviation = shape.length == 1 ? 0.1 : 1 / Math.sqrt(shape[1]);
    for (int i = 0; i < length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return Nd4j.createFromArray(values).reshape('c', Arrays.stream(shape).asLongStream().toArray());
  }
}
