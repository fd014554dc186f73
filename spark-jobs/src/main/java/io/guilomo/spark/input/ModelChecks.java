package io.guilomo.spark.input;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a configuration may ask of its backbone. */
public final class ModelChecks {

  private ModelChecks() {}

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
          String.format(
              "Cannot %s: %s learn task %s",
              asked,
              kind,
              backbone.tasks().stream()
                  .sorted()
                  .map(Task::toString)
                  .collect(Collectors.joining(" or "))));
    }
    Set<Pooling> poolings = backbone.poolings();
    if (task == Task.CLASSIFICATION && !poolings.contains(config.model().pooling())) {
      throw new UserException(
          String.format(
              "Cannot pool the states of %s by %s: expected one of %s",
              config.model().path(), config.model().pooling(), new TreeSet<>(poolings)));
    }
  }

  private static void checkFamily(GuilomoConfig config, BackboneConfig backbone) {
    String family = config.model().family();
    if (!family.equals("auto") && !family.equals(backbone.family())) {
      throw new UserException(
          String.format(
              "Cannot use guilomo.model.family = %s: %s is of family %s",
              family, config.model().path(), backbone.family()));
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
            String.format("Cannot put experts on %s: the model's modules are %s", target, known));
      }
    }
    return all.stream()
        .filter(module -> targets.isEmpty() || targets.contains(module.name()))
        .toList();
  }
}
