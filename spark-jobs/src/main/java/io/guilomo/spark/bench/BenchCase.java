package io.guilomo.spark.bench;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenMemory;
import io.guilomo.inference.GenerationSettings;
import io.guilomo.inference.Generator;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.PassOptions;
import io.guilomo.network.Stage;
import io.guilomo.network.StepCost;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.ExpectedSettings;
import io.guilomo.search.SearchSettings;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStep;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One benchmark: a model with random weights, its batches, and a step. Every linear module has
 * top-2 routing and 8 experts of rank 8, unless the name of the case says otherwise.
 */
final class BenchCase implements AutoCloseable {

  private static final int CLASSES = 4;

  /** Of a search by distributions: the more it has, the less they move in each. */
  private static final int STEPS = 1000;

  private static final LearningRate RATE = LearningRate.constant(3e-4);

  private final Kernels kernels;
  private final RandomBackbone weights;
  private final LoraMoeNetwork network;
  private final int tokens;
  private final double operations;
  private final LongConsumer step;

  BenchCase(BenchShape shape, Kernels kernels) {
    this.kernels = kernels;
    BenchShape.Task task = shape.task();
    boolean generates = task.work() == BenchShape.Work.GENERATION;
    Random random = new Random(7);
    this.weights =
        new RandomBackbone(shape.config(), new FrozenMemory(kernels, shape.precision().matrices()));
    Backbone backbone = weights.backbone();
    ExpertForm form =
        new ExpertForm(
            new RoutingMethod(shape.routing(), 2), shape.sharing(), Scaling.overRank(16));
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, task.experts(), task.rank(), form))
            .toList();
    NetworkDefinition definition =
        new NetworkDefinition(
            "memory:bench",
            backbone.config(),
            task.work() == BenchShape.Work.SEARCH ? Stage.SEARCH : Stage.FINE_TUNING,
            modules,
            0.05,
            0.001,
            task.llama() ? 0 : CLASSES,
            Pooling.MEAN,
            1,
            shape.estimator());
    StepCost cost = new StepCost(definition);
    this.network = LoraMoeNetwork.create(definition, backbone, kernels, shape.recompute());
    if (generates) {
      this.tokens = shape.sequences() * BenchShape.NEW_TOKENS;
      this.operations = cost.pass(continued(random, shape), PassOptions.Gradient.NONE);
      this.step = generation(random, shape);
      return;
    }
    TokenBatch train = batch(random, shape);
    this.tokens = train.size();
    if (task.work() == BenchShape.Work.SEARCH) {
      TokenBatch validation = batch(random, shape);
      this.operations =
          shape.estimator() == Estimator.EXPECTED
              ? cost.firstOrderStep(train, validation)
              : cost.searchStep(train, validation);
      this.step = search(kernels, shape.estimator(), train, validation);
    } else {
      this.operations = cost.pass(train, PassOptions.Gradient.ALL);
      this.step = finetuning(kernels, train);
    }
  }

  private LongConsumer search(
      Kernels kernels, Estimator estimator, TokenBatch train, TokenBatch validation) {
    boolean expected = estimator == Estimator.EXPECTED;
    if (!expected) {
      widen(kernels, network.gsvs());
    }
    SearchSettings settings =
        new SearchSettings(
            SearchSettings.INNER,
            RATE,
            SearchSettings.OUTER,
            3e-3,
            expected ? OuterGradient.FIRST_ORDER : OuterGradient.SECOND_ORDER,
            true,
            1,
            1,
            expected ? new ExpectedSettings(0, STEPS) : null);
    BilevelStep search = new BilevelStep(network, kernels, settings);
    return number -> search.run(number, train, validation);
  }

  private LongConsumer finetuning(Kernels kernels, TokenBatch train) {
    InnerUpdate update = new InnerUpdate(network, kernels, SearchSettings.INNER, 1);
    TrainingStep finetune = new TrainingStep(network, kernels, update, RATE, 1);
    return number -> finetune.run(number, train);
  }

  private LongConsumer generation(Random random, BenchShape shape) {
    int vocabulary = shape.task().vocabulary();
    List<int[]> prompts =
        Stream.generate(() -> random.ints(shape.length(), 0, vocabulary).toArray())
            .limit(shape.sequences())
            .toList();
    GenerationSettings settings = GenerationSettings.greedy(BenchShape.NEW_TOKENS, Set.of());
    Generator generator = new Generator(network);
    return number -> generator.generate(prompts, settings);
  }

  /**
   * Makes every eighth entry by far the largest of its vector, so that no argmax moves and every
   * step has four passes.
   */
  private static void widen(Kernels kernels, INDArray gsvs) {
    float[] values = new float[(int) gsvs.length()];
    kernels.read(gsvs, values);
    for (int i = BenchShape.FULL - 1; i < values.length; i += BenchShape.FULL) {
      values[i] += 2;
    }
    kernels.write(values, gsvs);
  }

  /** Runs a step and waits for its end. */
  void step(long number) {
    step.accept(number);
    kernels.finish();
  }

  /** Tokens that a step trains on or, for generation, produces. */
  int tokens() {
    return tokens;
  }

  /** Operations of the products of a step, in units of 10⁹. */
  double gflop() {
    return operations / 1e9;
  }

  /** Bytes of the network's working arrays. */
  long workingBytes() {
    return network.workingBytes();
  }

  @Override
  public void close() {
    network.close();
    weights.close();
  }

  /**
   * Sequences as generation reads them, each token once. Tokens after the prompt are labels; the
   * product with the vocabulary for the last prediction is not counted.
   */
  private static TokenBatch continued(Random random, BenchShape shape) {
    int length = shape.length() + BenchShape.NEW_TOKENS - 1;
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < shape.sequences(); i++) {
      int[] labels = random.ints(length, 0, shape.task().vocabulary()).toArray();
      Arrays.fill(labels, 0, shape.length(), TokenBatch.IGNORED);
      examples.add(new Example(new int[length], new int[length], labels));
    }
    return TokenBatch.of(examples);
  }

  /** A random batch: a decoder gets a label per token, an encoder a class per sequence. */
  private static TokenBatch batch(Random random, BenchShape shape) {
    boolean llama = shape.task().llama();
    int vocabulary = shape.task().vocabulary();
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < shape.sequences(); i++) {
      int[] tokens = random.ints(shape.length(), 0, vocabulary).toArray();
      int[] labels = tokens.clone();
      if (!llama) {
        Arrays.fill(labels, TokenBatch.IGNORED);
        labels[0] = random.nextInt(CLASSES);
      }
      examples.add(new Example(tokens, new int[shape.length()], labels));
    }
    return TokenBatch.of(examples);
  }
}
