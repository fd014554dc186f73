package io.guilomo.network.moe;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.UserException;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PartNames;
import io.guilomo.network.Stage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The experts on the frozen modules of one replica, and the one place that knows all gates,
 * routers, estimators and kinds of sharing. The groups of a replica share it, and through it the
 * GuidedSelection Vectors.
 */
public final class Mixture {

  private final Map<Integer, Map<String, LinearModule>> modules;
  private final Map<LinearModule, ModuleExperts> experts;
  private final double dropout;
  private final Selection selection;
  private final boolean searching;
  private final Thresholds thresholds;

  public Mixture(NetworkDefinition network) {
    this.modules =
        network.config().linearModules().stream()
            .collect(
                Collectors.groupingBy(
                    LinearModule::layer,
                    Collectors.toMap(LinearModule::name, Function.identity())));
    this.experts =
        network.modules().stream()
            .collect(Collectors.toMap(ModuleExperts::module, Function.identity()));
    this.dropout = network.dropout();
    this.selection =
        network.stage() == Stage.FINE_TUNING
            ? null
            : new Selection(network.modules(), estimator(network));
    this.searching = network.stage() == Stage.SEARCH;
    Set<Integer> inputs = inputsWithThresholds(network.modules());
    this.thresholds = inputs.isEmpty() ? null : new Thresholds(inputs);
  }

  private static Selection.Estimator estimator(NetworkDefinition network) {
    if (network.stage() == Stage.MEASURING) {
      return new FullMasks();
    }
    return switch (network.estimator()) {
      case STRAIGHT_THROUGH -> new StraightThroughEstimator();
      case EXPECTED -> new ExpectedEstimator();
    };
  }

  /** The part that holds the GSVs, which must stand first; null if no gate needs them. */
  public Selection selection() {
    return selection;
  }

  /** The part that the routers share; null if none needs it. */
  public Thresholds thresholds() {
    return thresholds;
  }

  /** Input features of the modules whose routers have thresholds. */
  private static Set<Integer> inputsWithThresholds(List<ModuleExperts> modules) {
    return modules.stream()
        .filter(Mixture::hasThreshold)
        .map(module -> module.module().inFeatures())
        .collect(Collectors.toSet());
  }

  private static boolean hasThreshold(ModuleExperts module) {
    return module.routing().router().equals(RoutingMethod.SPARSEGEN);
  }

  /** The linear module of that name in a layer, with experts or without. */
  public LinearModule module(int layer, String name) {
    LinearModule module = modules.get(layer).get(name);
    if (module == null) {
      throw new IllegalArgumentException(
          "Cannot find the module %s in layer %d".formatted(name, layer));
    }
    return module;
  }

  /** The experts of a module; null if it stays frozen. */
  ModuleExperts on(LinearModule module) {
    return experts.get(module);
  }

  /**
   * The product with {@code A} of modules that read one input.
   *
   * @param group name of the modules together, on which their dropout depends
   */
  DownProjection projection(String group, List<ModuleExperts> together, ArrayDeclarations arrays) {
    if (together.stream().map(ModuleExperts::sharing).distinct().count() > 1) {
      throw new IllegalArgumentException(
          "Cannot share A in some modules of %s and not in others".formatted(group));
    }
    return switch (together.get(0).sharing()) {
      case NONE -> new SeparateA(new Dropout(dropout, group), together, arrays);
      case SHARED_A -> new SharedA(dropout, together, arrays);
    };
  }

  Gate gate(ModuleExperts module, ArrayDeclarations arrays) {
    if (selection == null) {
      return new Gate.Open();
    }
    return searching
        ? new MaskedGate(module, selection, arrays)
        : new MeasuringGate(module, selection, arrays);
  }

  /** What the routers of modules that read one input share; null if none needs it. */
  TokenThreshold threshold(List<LinearModule> group, ArrayDeclarations arrays) {
    boolean needed = group.stream().map(this::on).anyMatch(put -> put != null && hasThreshold(put));
    return needed ? new TokenThreshold(thresholds, group.get(0).inFeatures(), arrays) : null;
  }

  /**
   * @param threshold of the group that the module is in; null where the router only declares
   */
  static Router router(ModuleExperts module, TokenThreshold threshold, ArrayDeclarations arrays) {
    String name = module.routing().router();
    return switch (name) {
      case RoutingMethod.TOP_K, RoutingMethod.DENSE -> new TopKRouter(module, arrays);
      case RoutingMethod.SPARSEGEN -> new SparsegenRouter(module, threshold, arrays);
      default ->
          throw new UserException(
              "Cannot route by %s on %s: expected one of %s",
              name, module.module(), RoutingMethod.NAMES);
    };
  }

  /** Parameters that a module's router has beside {@code G} and what routers share. */
  public static long ownParameters(ModuleExperts module) {
    return ownLayout(module).size();
  }

  /**
   * Shapes of the parameters that the routers of several modules share, by the names under which
   * networks and adapters have them.
   */
  public static Map<String, long[]> sharedParameters(List<ModuleExperts> modules) {
    return Thresholds.shapes(inputsWithThresholds(modules));
  }

  /** How many parameters {@link #sharedParameters} has, whatever the experts are. */
  public static long sharedParameterCount(List<ModuleExperts> modules) {
    return sharedParameters(modules).values().stream()
        .mapToLong(shape -> LongStream.of(shape).reduce(1, Math::multiplyExact))
        .sum();
  }

  private static ParameterLayout ownLayout(ModuleExperts module) {
    ParameterLayout own = new ParameterLayout();
    String prefix = PartNames.prefix(module.module());
    router(module, null, new ArrayDeclarations(prefix)).addParameters(prefix, own);
    return own;
  }

  /**
   * Shapes of the parameters of a module's router, by the last word of their names: {@code router}
   * for {@code G [experts, in]}, then those of the router's own.
   */
  public static Map<String, long[]> routerParameters(ModuleExperts module) {
    int prefix = PartNames.prefix(module.module()).length();
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("router", new long[] {module.experts(), module.module().inFeatures()});
    ownLayout(module)
        .slices()
        .forEach(slice -> shapes.put(slice.name().substring(prefix), slice.shape()));
    return shapes;
  }
}
