package io.guilomo.adapter;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.PromptTemplate;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.model.Task;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.TinyModels;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters of tiny models, none of whose tensors is zero. */
public final class Adapters {

  private static final double ALPHA = 16;

  private Adapters() {}

  /**
   * A plan for a tiny model.
   *
   * @param ranks of the experts of the first module, the second and so on, from the first again
   */
  public static AllocationPlan plan(Backbone backbone, List<List<Integer>> ranks) {
    return plan(backbone, ranks, Scaling.Rule.ALPHA_OVER_RANK);
  }

  static AllocationPlan plan(Backbone backbone, List<List<Integer>> ranks, Scaling.Rule rule) {
    List<ModulePlan> modules = new ArrayList<>();
    backbone
        .config()
        .linearModules()
        .forEach(
            module ->
                modules.add(
                    new ModulePlan(
                        module,
                        ranks.get(modules.size() % ranks.size()).stream()
                            .map(ExpertPlan::ofRank)
                            .toList())));
    return new AllocationPlan(
        "file", 3, new ExpertForm(RoutingMethod.topK(2), new Scaling(rule, ALPHA)), true, modules);
  }

  /** A decoder's adapter, or an encoder's for three classes. */
  public static AdapterDescription description(Backbone backbone, AllocationPlan plan) {
    return description(backbone, backbone.config().paths(), plan);
  }

  static AdapterDescription description(Backbone backbone, ModulePaths paths, AllocationPlan plan) {
    boolean classifies = TinyModels.classifies(backbone);
    return new AdapterDescription(
        plan,
        "models/tiny",
        backbone.digest(),
        paths,
        classifies ? Task.CLASSIFICATION : Task.CAUSAL_LM,
        classifies ? List.of("no", "yes", "perhaps") : List.of(),
        Pooling.MEAN,
        32,
        classifies ? null : PromptTemplate.alpaca());
  }

  /** Of a model in a directory; with a classifier of three classes, or with the alpaca prompt. */
  static AdapterDescription description(
      Backbone backbone, Path model, Task task, Pooling pooling, List<List<Integer>> ranks) {
    boolean classifies = task == Task.CLASSIFICATION;
    return new AdapterDescription(
        plan(
            backbone,
            ranks,
            classifies ? Scaling.Rule.ALPHA_OVER_RANK : Scaling.Rule.ALPHA_OVER_SQRT_RANK),
        model.toString(),
        backbone.digest(),
        backbone.config().paths(),
        task,
        classifies ? List.of("no", "yes", "perhaps") : List.of(),
        backbone.config().pooling(pooling),
        32,
        classifies ? null : PromptTemplate.alpaca());
  }

  /** The same with another router. */
  static AdapterDescription routed(AdapterDescription description, String router) {
    ExpertForm form = description.plan().form();
    return with(
        description,
        new ExpertForm(
            new RoutingMethod(router, form.routing().topK()), form.sharing(), form.scaling()));
  }

  /** The same with an {@code A} that the experts of a module share. */
  static AdapterDescription sharing(AdapterDescription description) {
    ExpertForm form = description.plan().form();
    return with(description, new ExpertForm(form.routing(), Sharing.SHARED_A, form.scaling()));
  }

  /** An adapter of single experts whose {@code A} are kept as those that modules share. */
  static Adapter sharing(Adapter single) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    single
        .tensors()
        .forEach((name, tensor) -> tensors.put(name.replace(".experts.0.A", ".A"), tensor));
    return new Adapter(sharing(single.description()), tensors);
  }

  private static AdapterDescription with(AdapterDescription description, ExpertForm form) {
    AllocationPlan plan = description.plan();
    return new AdapterDescription(
        new AllocationPlan(plan.strategy(), plan.seed(), form, true, plan.modules()),
        description.backbone(),
        description.backboneDigest(),
        description.paths(),
        description.task(),
        description.labels(),
        description.pooling(),
        description.maxLength(),
        description.template());
  }

  /** An adapter with random tensors. */
  public static Adapter random(Backbone backbone, List<List<Integer>> ranks, Kernels kernels) {
    return random(backbone, plan(backbone, ranks), kernels);
  }

  static Adapter random(Backbone backbone, AllocationPlan plan, Kernels kernels) {
    return random(backbone, description(backbone, plan), kernels);
  }

  static Adapter random(Backbone backbone, AdapterDescription description, Kernels kernels) {
    try (LoraMoeNetwork network =
        TinyModels.network(
            new Adapter(description, Map.of()).definition(backbone.config(), "memory:tiny"),
            backbone,
            kernels)) {
      TinyModels.shake(network, 3, 0.1);
      return Adapter.of(
          description, NamedParameters.of(network.definition(), network.host().parameters()));
    }
  }
}
