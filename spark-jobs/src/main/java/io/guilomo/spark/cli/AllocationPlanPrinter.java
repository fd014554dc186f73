package io.guilomo.spark.cli;

import io.guilomo.model.LinearModule;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.report.Numbers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A plan as text for the terminal: one line per layer, one column per module, {@code experts×mean
 * rank} in each cell, and its parameters next to those of eight experts of rank 8 everywhere.
 */
record AllocationPlanPrinter(AllocationPlan plan) {

  private static final int UNIFORM_EXPERTS = 8;
  private static final int UNIFORM_RANK = 8;

  /** The text, which ends with a line feed. */
  static String print(AllocationPlan plan) {
    return new AllocationPlanPrinter(plan).text();
  }

  private String text() {
    List<String> names =
        plan.modules().stream().map(planned -> planned.module().name()).distinct().toList();
    int[] layers =
        plan.modules().stream()
            .mapToInt(planned -> planned.module().layer())
            .distinct()
            .sorted()
            .toArray();
    List<List<String>> lines = new ArrayList<>();
    lines.add(line("layer", names, name -> name));
    for (int layer : layers) {
      lines.add(line(Integer.toString(layer), names, name -> cell(layer, name)));
    }
    lines.add(line("mean", names, this::meanCell));
    return aligned(lines) + totals();
  }

  private static List<String> line(String head, List<String> names, UnaryOperator<String> cell) {
    List<String> line = new ArrayList<>(List.of(head));
    names.forEach(name -> line.add(cell.apply(name)));
    return line;
  }

  private String cell(int layer, String name) {
    for (ModulePlan planned : plan.modules()) {
      if (planned.module().layer() == layer && planned.module().name().equals(name)) {
        int experts = planned.experts().size();
        return Numbers.format("%d×%.1f", experts, (double) planned.totalRank() / experts);
      }
    }
    return "-";
  }

  private String meanCell(String name) {
    List<ModulePlan> column =
        plan.modules().stream().filter(planned -> planned.module().name().equals(name)).toList();
    double experts = column.stream().mapToInt(planned -> planned.experts().size()).sum();
    double ranks = column.stream().mapToInt(ModulePlan::totalRank).sum();
    return Numbers.format("%.1f×%.1f", experts / column.size(), ranks / experts);
  }

  private static String aligned(List<List<String>> lines) {
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      for (int column = 0; column < line.size(); column++) {
        int width = 0;
        for (List<String> other : lines) {
          width = Math.max(width, other.get(column).length());
        }
        text.append(column == 0 ? "" : "  ")
            .append(" ".repeat(width - line.get(column).length()))
            .append(line.get(column));
      }
      text.append('\n');
    }
    return text.toString();
  }

  private String totals() {
    List<LinearModule> modules = plan.modules().stream().map(ModulePlan::module).toList();
    long parameters = plan.parameters();
    long uniform =
        new UniformAllocation(UNIFORM_EXPERTS, UNIFORM_RANK, plan.form())
            .plan(modules)
            .parameters();
    return Numbers.format(
            "%s, seed %d: %,d experts of mean rank %.2f on %,d modules\n",
            plan.strategy(),
            plan.seed(),
            plan.totalExperts(),
            (double) plan.totalRank() / plan.totalExperts(),
            modules.size())
        + Numbers.format(
            "%,d trainable parameters, %.1f %% of the %,d of %d experts of rank %d everywhere\n",
            parameters, 100.0 * parameters / uniform, uniform, UNIFORM_EXPERTS, UNIFORM_RANK);
  }
}
