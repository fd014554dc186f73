package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.FrozenMemory;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.ObservedKernels;
import io.guilomo.kernel.RoundedActivations;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpectedAllocation;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.ModulePlan;
import io.guilomo.training.LearningRate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Searches whose best plan is known, through a network: the labels are drawn from the same network
 * with a change of rank 3 to one of its modules.
 */
class TestExpectedTruth {

  private static final int STEPS = 200;
  private static final int NEEDED_RANK = 3;

  /** Of the change to a matrix whose own singular values are between 0 and 2. */
  private static final double SINGULAR_VALUE = 2;

  private static final ExpertForm FORM = new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(6));
  private static final Backbone BACKBONE = TinyModels.llama(1);
  private static final List<LinearModule> MODULES = BACKBONE.config().linearModules();

  /** {@code down_proj} of the second layer. */
  private static final LinearModule NEEDED = MODULES.get(13);

  private static final List<ModuleExperts> CANDIDATES =
      MODULES.stream().map(module -> ModuleExperts.uniform(module, 3, 6, FORM)).toList();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void whatIsNeededIsFoundFromAnySeed(long seed) {
    assertFound(searched(seed, KernelSelection.best(), BACKBONE));
  }

  /** With two bytes for each frozen weight, and for the activations that these multiply. */
  @Test
  void whatIsNeededIsFoundInTwoBytes() {
    Kernels kernels = KernelSelection.best();
    RoundedActivations activations = new RoundedActivations();
    assertFound(
        searched(
            1,
            ObservedKernels.of(kernels, activations),
            FrozenCopies.of(BACKBONE, new FrozenMemory(kernels, DataType.BFLOAT16))));
    assertThat(activations.rounded()).isGreaterThan(STEPS);
  }

  private static void assertFound(float[] gsvs) {
    for (int entries : new int[] {1, 2, 3, 2 * (NEEDED_RANK - 1)}) {
      AllocationPlan plan = plan(gsvs, budget(entries));
      for (ModulePlan module : plan.modules()) {
        assertThat(module.experts().stream().map(ExpertPlan::rank).toList())
            .as("%s with %d more entries", module.module(), entries)
            .isEqualTo(
                module.module().equals(NEEDED)
                    ? List.of(1 + (entries + 1) / 2, 1 + entries / 2)
                    : List.of(1, 1));
      }
    }
  }

  private static long budget(int entries) {
    long features = (long) NEEDED.inFeatures() + NEEDED.outFeatures();
    return (long) new ExpectedParameters(CANDIDATES).least() + entries * features;
  }

  private static float[] searched(long seed, Kernels kernels, Backbone backbone) {
    // Two experts of rank one everywhere, and the rank that is needed for both of the module's.
    long budget = budget(2 * (NEEDED_RANK - 1));
    try (LoraMoeNetwork teacher = teacher(KernelSelection.best());
        LoraMoeNetwork student = LoraMoeNetwork.create(definition(seed), backbone, kernels)) {
      BilevelStep step =
          new BilevelStep(
              student,
              kernels,
              new SearchSettings(
                  SearchSettings.INNER,
                  new LearningRate(1e-2, 5, STEPS),
                  SearchSettings.OUTER,
                  1e-3,
                  OuterGradient.FIRST_ORDER,
                  true,
                  1,
                  seed,
                  new ExpectedSettings(budget, STEPS)));
      for (long i = 0; i < STEPS; i++) {
        step.run(
            i,
            labelled(teacher, Seeds.mix(seed, 2 * i)),
            labelled(teacher, Seeds.mix(seed, 2 * i + 1)));
      }
      float[] gsvs = new float[(int) student.gsvs().length()];
      kernels.read(student.gsvs(), gsvs);
      return gsvs;
    }
  }

  private static AllocationPlan plan(float[] gsvs, long budget) {
    return new ExpectedAllocation(1, FORM)
        .plan(GuidedSelection.of(CANDIDATES, gsvs, Map.of()), budget);
  }

  /** The backbone with one plain LoRA, of orthogonal directions. */
  private static LoraMoeNetwork teacher(Kernels kernels) {
    ModuleExperts one =
        ModuleExperts.of(NEEDED, List.of(NEEDED_RANK), NEEDED_RANK, RoutingMethod.topK(1));
    LoraMoeNetwork teacher =
        TinyModels.network(
            TinyModels.definition(BACKBONE, Stage.FINE_TUNING, List.of(one), 0, 0),
            BACKBONE,
            kernels);
    Random random = new Random(3);
    teacher.download();
    String name =
        teacher.parameterNames().stream().filter(n -> n.endsWith(".A")).findFirst().orElseThrow();
    teacher
        .parameter(name)
        .assign(orthonormal(random, NEEDED_RANK, NEEDED.inFeatures()).mul(SINGULAR_VALUE));
    teacher
        .parameter(name.substring(0, name.length() - 1) + "B")
        .assign(orthonormal(random, NEEDED_RANK, NEEDED.outFeatures()).transpose());
    teacher.upload();
    return teacher;
  }

  /** Random rows, by Gram and Schmidt. */
  private static INDArray orthonormal(Random random, int rows, int columns) {
    INDArray result = Nd4j.zeros(DataType.DOUBLE, rows, columns);
    for (int i = 0; i < rows; i++) {
      INDArray row = Nd4j.create(random.doubles(columns, -1, 1).toArray());
      for (int j = 0; j < i; j++) {
        INDArray other = result.getRow(j);
        row.subi(other.mul(row.mul(other).sumNumber()));
      }
      result.putRow(i, row.div(row.norm2Number()));
    }
    return result.castTo(DataType.FLOAT);
  }

  private static NetworkDefinition definition(long seed) {
    return new NetworkDefinition(
        "memory:tiny",
        BACKBONE.config(),
        Stage.SEARCH,
        CANDIDATES,
        0,
        1e-3,
        0,
        Pooling.MEAN,
        seed,
        Estimator.EXPECTED);
  }

  /** Random tokens, labelled as the teacher continues them. */
  private static TokenBatch labelled(LoraMoeNetwork teacher, long seed) {
    int[] lengths = new int[48];
    Arrays.fill(lengths, 9);
    TokenBatch batch = TinyModels.causal(seed, lengths);
    float[][] logits = teacher.logitRows(batch);
    int[] labels = new int[batch.size()];
    Random random = new Random(seed);
    for (int i = 0; i < batch.sequences(); i++) {
      labels[batch.starts()[i]] = TokenBatch.IGNORED;
      for (int t = batch.starts()[i] + 1; t < batch.starts()[i + 1]; t++) {
        labels[t] = drawn(logits[t - 1], random);
      }
    }
    return new TokenBatch(batch.tokens(), batch.segments(), labels, batch.starts());
  }

  /** From the softmax of the logits: the largest after adding Gumbel's noise. */
  private static int drawn(float[] logits, Random random) {
    int best = 0;
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.length; i++) {
      double noisy = logits[i] - Math.log(-Math.log(random.nextDouble()));
      if (noisy > largest) {
        largest = noisy;
        best = i;
      }
    }
    return best;
  }
}
