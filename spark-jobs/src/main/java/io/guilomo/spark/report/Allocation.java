package io.guilomo.spark.report;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Sharing;
import io.guilomo.network.moe.Mixture;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.ConsensusAllocation;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.table.PlanModulesTable;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/**
 * The plan of a run; for several seeds, their consensus.
 *
 * @param strategy strategy that made it
 * @param seeds number of learned plans of the run; 0 if nothing was learned
 * @param modules at least one
 * @param sharedParameters what routers share, which no module has for itself
 */
record Allocation(
    String strategy, long seed, int seeds, List<Module> modules, long sharedParameters) {

  /** What one module of one layer got. */
  record Module(
      int layer,
      String name,
      long inFeatures,
      long outFeatures,
      long experts,
      long totalRank,
      long parameters) {

    static Module of(Row row) {
      return new Module(
          row.getAs("layer"),
          row.getAs("module"),
          row.getAs("in_features"),
          row.getAs("out_features"),
          row.getAs("experts"),
          row.getAs("total_rank"),
          row.getAs("parameters"));
    }

    LinearModule module() {
      return new LinearModule(
          layer, name, Math.toIntExact(inFeatures), Math.toIntExact(outFeatures));
    }

    /** Its parameters with {@code experts} experts of one rank, including the router. */
    long parameters(int experts, int rank, Sharing sharing) {
      return ModulePlan.uniform(module(), experts, rank).parameters(sharing);
    }
  }

  private record Key(String strategy, long seed) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      return Comparator.comparing(Key::strategy).thenComparing(Key::seed).compare(this, other);
    }
  }

  static Optional<Allocation> of(RunTables tables) {
    Map<Key, List<Module>> plans =
        tables.rows(PlanModulesTable.INSTANCE).stream()
            .sorted(Comparator.comparingInt(row -> row.<Integer>getAs("layer")))
            .collect(
                Collectors.groupingBy(
                    row -> new Key(row.getAs("strategy"), row.<Long>getAs("seed")),
                    () ->
                        new TreeMap<>(Comparator.comparing(Key::strategy).thenComparing(Key::seed)),
                    Collectors.mapping(Module::of, Collectors.toList())));
    Optional<Key> own =
        plans.keySet().stream()
            .min(Comparator.comparing(key -> !key.strategy().equals(ConsensusAllocation.STRATEGY)));
    return own.map(
        key ->
            new Allocation(
                key.strategy(),
                key.seed(),
                seeds(plans.keySet()),
                plans.get(key),
                shared(plans.get(key), tables)));
  }

  private static long shared(List<Module> modules, RunTables tables) {
    RoutingMethod sparsegen = new RoutingMethod(RoutingMethod.SPARSEGEN, 1);
    return tables.any("lora-moe.routing", sparsegen.router()::equals)
        ? Mixture.sharedParameterCount(
            modules.stream()
                .map(module -> ModuleExperts.uniform(module.module(), 1, 1, 1, sparsegen))
                .toList())
        : 0;
  }

  private static int seeds(Set<Key> plans) {
    return Math.toIntExact(
        plans.stream().filter(key -> AllocationStrategies.learns(key.strategy())).count());
  }

  boolean learned() {
    return AllocationStrategies.learns(strategy) || strategy.equals(ConsensusAllocation.STRATEGY);
  }

  Grid expertGrid() {
    return grid(Module::experts);
  }

  Grid rankGrid() {
    return grid(module -> (double) module.totalRank() / module.experts());
  }

  private Grid grid(ToDoubleFunction<Module> value) {
    return Grid.of(
        modules.stream()
            .map(
                module -> new Grid.Cell(module.layer(), module.name(), value.applyAsDouble(module)))
            .toList());
  }

  long experts() {
    return modules.stream().mapToLong(Module::experts).sum();
  }

  long parameters() {
    return modules.stream().mapToLong(Module::parameters).sum() + sharedParameters;
  }

  /** Parameters of a plan with {@code experts} experts of one rank on every module. */
  long parameters(int experts, int rank, Sharing sharing) {
    return modules.stream().mapToLong(module -> module.parameters(experts, rank, sharing)).sum()
        + sharedParameters;
  }

  double meanRank() {
    return meanRank(module -> true);
  }

  long layerExperts(int layer) {
    return modules.stream()
        .filter(module -> module.layer() == layer)
        .mapToLong(Module::experts)
        .sum();
  }

  double layerRank(int layer) {
    return meanRank(module -> module.layer() == layer);
  }

  /** Mean number of experts over the layers that have the module. */
  double moduleExperts(String name) {
    return modules.stream()
        .filter(module -> module.name().equals(name))
        .collect(Collectors.averagingLong(Module::experts));
  }

  double moduleRank(String name) {
    return meanRank(module -> module.name().equals(name));
  }

  private double meanRank(Predicate<Module> which) {
    List<Module> some = modules.stream().filter(which).toList();
    return (double) some.stream().mapToLong(Module::totalRank).sum()
        / some.stream().mapToLong(Module::experts).sum();
  }
}
