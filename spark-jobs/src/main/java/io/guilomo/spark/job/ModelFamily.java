package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.BackboneConfig;
import io.guilomo.family.LlamaConfig;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a configuration may ask of the family of its backbone. */
final class ModelFamily {

  private ModelFamily() {}

  /**
   * @throws UserException for another family than the configured one, or a task that the family
   *     does not learn
   */
  static void check(GuilomoConfig config, BackboneConfig backbone) {
    checkName(config, backbone);
    boolean classifies = Task.parse(config.data().task()) == Task.CLASSIFICATION;
    if (classifies && backbone instanceof LlamaConfig) {
      throw new UserException(
          "Cannot classify with "
              + config.model().path()
              + ": decoders learn task causal-lm or multiple-choice");
    }
    if (!classifies && !(backbone instanceof LlamaConfig)) {
      throw new UserException(
          String.format(
              "Cannot learn task %s with %s: encoders learn task classification",
              config.data().task(), config.model().path()));
    }
  }

  private static void checkName(GuilomoConfig config, BackboneConfig backbone) {
    String found = backbone instanceof LlamaConfig ? "llama" : "bert";
    String family = config.model().family();
    if (!family.equals("auto") && !family.equals(found)) {
      throw new UserException(
          String.format(
              "Cannot use guilomo.model.family = %s: %s is of family %s",
              family, config.model().path(), found));
    }
  }

  /**
   * The modules that get experts, in the backbone's order.
   *
   * @throws UserException for a target that the backbone does not have
   */
  static List<LinearModule> targets(GuilomoConfig config, BackboneConfig backbone) {
    List<String> targets = config.loraMoe().targetModules();
    List<LinearModule> all = backbone.linearModules();
    TreeSet<String> known =
        all.stream().map(LinearModule::name).collect(Collectors.toCollection(TreeSet::new));
    for (String target : targets) {
      if (!known.contains(target)) {
        throw new UserException(
            String.format("Cannot put experts on %s: the model's modules are %s", target, known));
      }
    }
    return all.stream()
        .filter(module -> targets.isEmpty() || targets.contains(module.name()))
        .toList();
  }
}
