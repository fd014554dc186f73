package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.Backbone;
import io.guilomo.family.BackboneConfig;
import io.guilomo.family.BertBackbone;
import io.guilomo.family.BertConfig;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.LlamaBackbone;
import io.guilomo.family.LlamaConfig;
import io.guilomo.family.Rope;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
  public static LlamaBackbone llama(long seed) {
    return llama(seed, 2, 0);
  }

  /**
   * A decoder of 2 layers with 4 heads.
   *
   * @param slidingWindow tokens that a position sees; 0 for all
   */
  public static LlamaBackbone llama(long seed, int keyValueHeads, int slidingWindow) {
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
    List<LlamaBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < LAYERS; layer++) {
      layers.add(
          new LlamaBackbone.Layer(
              ones(random),
              normal(random, (HEADS + 2 * keyValueHeads) * headDim, HIDDEN),
              normal(random, HIDDEN, HIDDEN),
              ones(random),
              normal(random, 2 * INTERMEDIATE, HIDDEN),
              normal(random, HIDDEN, INTERMEDIATE)));
    }
    return new LlamaBackbone(
        config,
        "tiny",
        normal(random, VOCABULARY, HIDDEN),
        layers,
        ones(random),
        normal(random, VOCABULARY, HIDDEN));
  }

  /** An encoder of 2 layers. */
  public static BertBackbone bert(long seed) {
    Random random = new Random(seed);
    BertConfig config =
        new BertConfig(HIDDEN, INTERMEDIATE, LAYERS, HEADS, VOCABULARY, POSITIONS, 2, 1e-12f);
    List<BertBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < LAYERS; layer++) {
      layers.add(
          new BertBackbone.Layer(
              normal(random, 3 * HIDDEN, HIDDEN),
              normal(random, 3 * HIDDEN),
              normal(random, HIDDEN, HIDDEN),
              normal(random, HIDDEN),
              norm(random),
              normal(random, INTERMEDIATE, HIDDEN),
              normal(random, INTERMEDIATE),
              normal(random, HIDDEN, INTERMEDIATE),
              normal(random, HIDDEN),
              norm(random)));
    }
    return new BertBackbone(
        config,
        "tiny",
        normal(random, VOCABULARY, HIDDEN),
        normal(random, POSITIONS, HIDDEN),
        normal(random, 2, HIDDEN),
        norm(random),
        layers);
  }

  /** Four experts of rank 3 on every module: what a search needs. */
  public static List<ModuleExperts> uniform(BackboneConfig config) {
    return config.linearModules().stream()
        .map(module -> ModuleExperts.uniform(module, 4, 3, 6, 2))
        .toList();
  }

  /** One to four experts a module, two to four in the search stage, of ranks from 1 to 3. */
  public static List<ModuleExperts> unequal(BackboneConfig config, Stage stage) {
    List<List<Integer>> ranks =
        Stream.of(List.of(2, 1, 3), List.of(1, 3), List.of(3), List.of(2, 2, 1, 3))
            .filter(list -> stage == Stage.FINE_TUNING || list.size() > 1)
            .toList();
    List<LinearModule> modules = config.linearModules();
    List<ModuleExperts> experts = new ArrayList<>();
    for (int i = 0; i < modules.size(); i++) {
      experts.add(ModuleExperts.of(modules.get(i), ranks.get(i % ranks.size()), 6, 2));
    }
    return experts;
  }

  /** A definition over a tiny model, with dropout and a balance loss. */
  public static NetworkDefinition definition(
      Backbone backbone,
      Stage stage,
      List<ModuleExperts> modules,
      double dropout,
      double loadBalance) {
    int classes = backbone instanceof BertBackbone ? 3 : 0;
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
    return LoraMoeNetwork.create(definition, FrozenCopies.of(backbone, kernels), kernels);
  }

  /** A fine-tuning network over a tiny decoder with unequal experts, none of which is zero. */
  public static LoraMoeNetwork tuned(LlamaBackbone backbone, Kernels kernels) {
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
    return ArrayViews.stretch(all, all.length() - count, count);
  }

  private static BertBackbone.Norm norm(Random random) {
    return new BertBackbone.Norm(ones(random), normal(random, HIDDEN));
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
