package io.guilomo.spark.report;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;

/** The most important findings about an allocation, in plain words. */
record Findings(Allocation allocation) {

  private static final int NAMED = 3;

  /** Which layers and modules got the most and the fewest experts. */
  String experts() {
    Grid grid = allocation.expertGrid();
    if (grid.least() == grid.most()) {
      return Numbers.format(
          "Every module of every layer got %s experts.", Numbers.oneDecimal(grid.most()));
    }
    Map<String, Double> layers = new TreeMap<>();
    for (int layer : grid.layers()) {
      layers.put(Numbers.format("%05d", layer), (double) allocation.layerExperts(layer));
    }
    Map<String, Double> modules = new TreeMap<>();
    grid.modules().forEach(name -> modules.put(name, allocation.moduleExperts(name)));
    return Numbers.format(
        "%s. %s.",
        contrast(
            "layer",
            "most experts",
            "fewest",
            layers,
            Numbers::oneDecimal,
            "Every layer got the same number of experts"),
        contrast(
            "module",
            "most experts",
            "fewest",
            modules,
            value -> Numbers.oneDecimal(value) + " per layer",
            "Every kind of module got the same number of experts"));
  }

  /** Where the ranks are high and where they are low. */
  String ranks() {
    Grid grid = allocation.rankGrid();
    if (grid.least() == grid.most()) {
      return Numbers.format("Every expert has rank %s.", Numbers.oneDecimal(grid.most()));
    }
    Map<String, Double> modules = new TreeMap<>();
    grid.modules().forEach(name -> modules.put(name, allocation.moduleRank(name)));
    return contrast(
            "module",
            "highest ranks",
            "lowest",
            modules,
            value -> "mean " + Numbers.format("%.1f", value),
            "Every kind of module got the same ranks")
        + ".";
  }

  private static String contrast(
      String kind,
      String most,
      String fewest,
      Map<String, Double> values,
      DoubleFunction<String> format,
      String every) {
    double high = values.values().stream().mapToDouble(v -> v).max().orElseThrow();
    double low = values.values().stream().mapToDouble(v -> v).min().orElseThrow();
    if (high == low) {
      return Numbers.format("%s (%s)", every, format.apply(high));
    }
    return Numbers.format(
        "%s got the %s (%s), %s the %s (%s)",
        capital(named(kind, values, high)),
        most,
        format.apply(high),
        named(kind, values, low),
        fewest,
        format.apply(low));
  }

  /** {@code layer 3}, {@code layers 2 and 3} or {@code 5 layers}. */
  private static String named(String kind, Map<String, Double> values, double value) {
    List<String> names =
        values.entrySet().stream()
            .filter(entry -> entry.getValue() == value)
            .map(entry -> entry.getKey().replaceFirst("^0+(?=.)", ""))
            .toList();
    if (names.size() == 1) {
      return kind + " " + names.get(0);
    }
    if (names.size() > NAMED) {
      return names.size() + " " + kind + "s";
    }
    return kind
        + "s "
        + names.stream().limit(names.size() - 1L).collect(Collectors.joining(", "))
        + " and "
        + names.get(names.size() - 1);
  }

  private static String capital(String words) {
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }
}
