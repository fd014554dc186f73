package io.guilomo.spark.bench;

import io.guilomo.backbone.Backbone;
import io.guilomo.backbone.BertBackbone;
import io.guilomo.backbone.BertConfig;
import io.guilomo.backbone.LlamaBackbone;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.backbone.Rope;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.ModuleExperts;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions;
import io.guilomo.network.Stage;
import io.guilomo.network.StepCost;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStep;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One benchmark: a model of random weights, its batches and a step over them, with 8 experts of
 * rank 8 where its name says nothing else, and top-2 routing on every linear module.
 */
final class BenchCase implements AutoCloseable {

  private static final int FULL = 8;

  /** What can be measured. */
  enum Name {
    SEARCH_LLAMA("search-llama", true, true, FULL),
    FINETUNE_LLAMA("finetune-llama", true, false, FULL),
    /** What a plan of half the experts of half the rank costs beside the one above. */
    FINETUNE_LLAMA_PLAN("finetune-llama-4x4", true, false, 4),
    SEARCH_BERT("search-bert", false, true, FULL),
    FINETUNE_BERT("finetune-bert", false, false, FULL),
    FINETUNE_BERT_PLAN("finetune-bert-4x4", false, false, 4);

    private final String text;
    private final boolean llama;
    private final boolean searches;
    private final int experts;

    /**
     * @param experts on every module, and the rank of each
     */
    Name(String text, boolean llama, boolean searches, int experts) {
      this.text = text;
      this.llama = llama;
      this.searches = searches;
      this.experts = experts;
    }

    static Name of(String text) {
      return Arrays.stream(values())
          .filter(name -> name.text.equals(text))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "Cannot measure " + text + ": the cases are " + Arrays.toString(values())));
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private final NetworkDefinition definition;
  private final LoraMoeNetwork network;
  private final TokenBatch train;
  private final TokenBatch validation;
  private final BilevelStep search;
  private final TrainingStep finetune;

  BenchCase(Name name, Kernels kernels) {
    boolean llama = name.llama;
    boolean searches = name.searches;
    Random random = new Random(7);
    Backbone backbone = llama ? llama() : bert();
    // 8 sequences of 128 tokens, a label at each; 16 sequences of 32 with one of 4 classes.
    this.train = llama ? batch(random, 8, 128, 4096, 0) : batch(random, 16, 32, 30522, 4);
    this.validation = llama ? batch(random, 8, 128, 4096, 0) : batch(random, 16, 32, 30522, 4);
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, name.experts, name.experts, 16, 2))
            .toList();
    this.definition =
        new NetworkDefinition(
            "memory:bench",
            backbone.config(),
            searches ? Stage.SEARCH : Stage.FINE_TUNING,
            modules,
            0.05,
            0.001,
            llama ? 0 : 4,
            Pooling.MEAN,
            1);
    this.network = LoraMoeNetwork.create(definition, backbone, kernels);
    if (searches) {
      widen(network.gsvs());
    }
    LearningRate rate = LearningRate.constant(3e-4);
    this.search =
        searches
            ? new BilevelStep(
                network,
                kernels,
                new SearchSettings(
                    SearchSettings.INNER,
                    rate,
                    SearchSettings.OUTER,
                    3e-3,
                    OuterGradient.SECOND_ORDER,
                    true,
                    1,
                    1))
            : null;
    this.finetune =
        searches
            ? null
            : new TrainingStep(
                network,
                kernels,
                new InnerUpdate(network, kernels, SearchSettings.INNER, 1),
                rate,
                1);
  }

  /**
   * Makes every eighth entry the largest of its vector by far: no argmax moves, so every step has
   * four passes.
   */
  private static void widen(INDArray gsvs) {
    for (long i = FULL - 1; i < gsvs.length(); i += FULL) {
      gsvs.putScalar(i, gsvs.getFloat(i) + 2);
    }
  }

  void step(long number) {
    if (search != null) {
      search.run(number, train, validation);
    } else {
      finetune.run(number, train);
    }
  }

  int tokens() {
    return train.size();
  }

  /** Products that a step must do, in units of 10⁹ operations. */
  double gflop() {
    StepCost cost = new StepCost(definition);
    return (search != null
            ? cost.searchStep(train, validation)
            : cost.pass(train, PassOptions.Gradient.ALL))
        / 1e9;
  }

  @Override
  public void close() {
    network.close();
  }

  private static TokenBatch batch(
      Random random, int sequences, int length, int vocabulary, int classes) {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < sequences; i++) {
      int[] tokens = random.ints(length, 0, vocabulary).toArray();
      int[] labels = tokens.clone();
      if (classes > 0) {
        Arrays.fill(labels, TokenBatch.IGNORED);
        labels[0] = random.nextInt(classes);
      }
      examples.add(new Example(tokens, new int[length], labels));
    }
    return TokenBatch.of(examples);
  }

  private static Backbone llama() {
    LlamaConfig config =
        new LlamaConfig(384, 1024, 6, 6, 6, 64, 4096, 128, 1e-6f, new Rope(10000, null), 0, false);
    List<LlamaBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(
          new LlamaBackbone.Layer(
              Nd4j.ones(384),
              random(3 * 384, 384),
              random(384, 384),
              Nd4j.ones(384),
              random(2 * 1024, 384),
              random(384, 1024)));
    }
    return new LlamaBackbone(
        config, "random", random(4096, 384), layers, Nd4j.ones(384), random(4096, 384));
  }

  private static Backbone bert() {
    BertConfig config = new BertConfig(384, 1536, 6, 12, 30522, 512, 2, 1e-12f);
    List<BertBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(
          new BertBackbone.Layer(
              random(3 * 384, 384),
              Nd4j.zeros(3 * 384),
              random(384, 384),
              Nd4j.zeros(384),
              norm(),
              random(1536, 384),
              Nd4j.zeros(1536),
              random(384, 1536),
              Nd4j.zeros(384),
              norm()));
    }
    return new BertBackbone(
        config, "random", random(30522, 384), random(512, 384), random(2, 384), norm(), layers);
  }

  private static BertBackbone.Norm norm() {
    return new BertBackbone.Norm(Nd4j.ones(384), Nd4j.zeros(384));
  }

  private static INDArray random(int rows, int columns) {
    return Nd4j.randn(rows, columns).muli(0.02);
  }
}
