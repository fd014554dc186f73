package io.guilomo.spark.input;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The networks that a configuration describes, and what it may ask of their backbone. */
public final class Networks {

  private Networks() {}

  /**
   * The network to search in: all candidate experts on the target modules.
   *
   * @param classes of a classification; 0 for a causal language model
   */
  public static NetworkDefinition toSearch(
      GuilomoConfig config, BackboneConfig backbone, long seed, int classes) {
    return network(config, backbone, Stage.SEARCH, candidates(config, backbone), seed, classes)
        .with(config.search().estimator());
  }

  /** The candidate experts of the target modules. */
  public static List<ModuleExperts> candidates(GuilomoConfig config, BackboneConfig backbone) {
    LoraMoeConfig lora = config.loraMoe();
    return targets(config, backbone).stream()
        .map(
            module -> ModuleExperts.uniform(module, lora.maxExperts(), lora.maxRank(), lora.form()))
        .toList();
  }

  /**
   * The network whose short training is measured: all candidate experts on the target modules, and
   * the gradients of their masks.
   *
   * @param classes of a classification; 0 for a causal language model
   */
  public static NetworkDefinition toMeasure(
      GuilomoConfig config, BackboneConfig backbone, long seed, int classes) {
    return network(config, backbone, Stage.MEASURING, candidates(config, backbone), seed, classes);
  }

  /**
   * The network to train with a plan.
   *
   * @param classes of a classification; 0 for a causal language model
   * @throws UserException if the plan does not fit the backbone
   */
  public static NetworkDefinition ofPlan(
      GuilomoConfig config, BackboneConfig backbone, AllocationPlan plan, long seed, int classes) {
    requireModules(plan, config.model().requirePath(), backbone);
    return network(config, backbone, Stage.FINE_TUNING, plan.moduleExperts(), seed, classes);
  }

  private static NetworkDefinition network(
      GuilomoConfig config,
      BackboneConfig backbone,
      Stage stage,
      List<ModuleExperts> experts,
      long seed,
      int classes) {
    return new NetworkDefinition(
        config.model().requirePath(),
        backbone,
        stage,
        experts,
        config.loraMoe().dropout(),
        config.loraMoe().loadBalance(),
        classes,
        config.model().pooling(),
        seed);
  }

  /**
   * Every planned module must be one of the model's, and be planned in all of its layers.
   *
   * @throws UserException that names one that is not
   */
  static void requireModules(AllocationPlan plan, String model, BackboneConfig backbone) {
    List<LinearModule> known = backbone.linearModules();
    List<LinearModule> planned = plan.modules().stream().map(ModulePlan::module).toList();
    for (LinearModule module : planned) {
      if (!known.contains(module)) {
        throw otherModel(
            model,
            "%s of %d×%d features: the model has no such module"
                .formatted(module, module.inFeatures(), module.outFeatures()));
      }
    }
    Set<String> names = planned.stream().map(LinearModule::name).collect(Collectors.toSet());
    for (LinearModule module : known) {
      if (names.contains(module.name()) && !planned.contains(module)) {
        throw otherModel(
            model,
            "fewer layers: the model has %s, of which the plan says nothing".formatted(module));
      }
    }
  }

  private static UserException otherModel(String model, String what) {
    return new UserException("Cannot fine-tune %s with a plan made for %s", model, what);
  }

  /**
   * @throws UserException for another family than the configured one, or a task or pooling that the
   *     backbone does not have
   */
  public static void check(GuilomoConfig config, BackboneConfig backbone) {
    checkFamily(config, backbone);
    Task task = Task.parse(config.data().task());
    if (!backbone.tasks().contains(task)) {
      String kind = backbone.attention(0).causal() ? "decoders" : "encoders";
      String asked =
          task == Task.CLASSIFICATION
              ? "classify with " + config.model().path()
              : "learn task " + task + " with " + config.model().path();
      throw new UserException(
          "Cannot %s: %s learn task %s",
          asked,
          kind,
          backbone.tasks().stream()
              .sorted()
              .map(Task::toString)
              .collect(Collectors.joining(" or ")));
    }
    Set<Pooling> poolings = backbone.poolings();
    Pooling asked = config.model().pooling();
    Pooling pooling = backbone.pooling(asked);
    boolean can =
        pooling == Pooling.HEAD ? backbone.pretrainedHead() != null : poolings.contains(pooling);
    if (task == Task.CLASSIFICATION && !can) {
      throw new UserException(
          "Cannot pool the states of %s by %s: expected auto or one of %s",
          config.model().path(), asked, new TreeSet<>(poolings));
    }
  }

  /**
   * Checks what a job asks of its backbone, and lowers an automatic maximum length to the
   * backbone's positions.
   *
   * @return the context to train with
   * @throws UserException as {@link #check}, and for a maximum length above the positions
   */
  public static JobContext fit(JobContext context, BackboneConfig backbone) {
    GuilomoConfig config = context.config();
    check(config, backbone);
    int length = config.model().maxLengthFor(backbone.maxPositions());
    if (length == config.model().maxLength().tokens()) {
      return context;
    }
    context.message(
        "sequences of at most %d tokens, as many as the model has positions".formatted(length));
    return context.with(List.of("model.max-length=" + length));
  }

  private static void checkFamily(GuilomoConfig config, BackboneConfig backbone) {
    String family = config.model().family();
    if (!family.equals("auto") && !family.equals(backbone.family())) {
      throw new UserException(
          "Cannot use guilomo.model.family = %s: %s is of family %s",
          family, config.model().path(), backbone.family());
    }
  }

  /**
   * The modules that get experts, in the backbone's order.
   *
   * @throws UserException for a target that the backbone does not have
   */
  public static List<LinearModule> targets(GuilomoConfig config, BackboneConfig backbone) {
    List<String> targets = config.loraMoe().targetModules();
    List<LinearModule> all = backbone.linearModules();
    TreeSet<String> known =
        all.stream().map(LinearModule::name).collect(Collectors.toCollection(TreeSet::new));
    for (String target : targets) {
      if (!known.contains(target)) {
        throw new UserException(
            "Cannot put experts on %s: the model's modules are %s", target, known);
      }
    }
    return all.stream()
        .filter(module -> targets.isEmpty() || targets.contains(module.name()))
        .toList();
  }
}
