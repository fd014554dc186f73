package io.guilomo.spark.report;

import io.guilomo.family.Families;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import org.apache.spark.sql.Row;

/**
 * A number for each module of each layer.
 *
 * @param layers in ascending order
 * @param modules in the order in which a block computes them
 * @param values {@code [layer][module]}; NaN where a layer does not have a module
 */
record Grid(List<Integer> layers, List<String> modules, double[][] values) {

  private static final List<String> ORDER = Families.modules();

  /** A module of a layer. */
  record Place(int layer, String module) {

    static Place of(Row row) {
      return new Place(row.getAs("layer"), row.getAs("module"));
    }
  }

  /** One number of the grid. */
  record Cell(int layer, String module, double value) {}

  static Grid of(Collection<Cell> cells) {
    List<Integer> layers = cells.stream().map(Cell::layer).distinct().sorted().toList();
    List<String> modules =
        cells.stream()
            .map(Cell::module)
            .distinct()
            .sorted(Comparator.comparingInt(Grid::order).thenComparing(Comparator.naturalOrder()))
            .toList();
    double[][] values = new double[layers.size()][modules.size()];
    Arrays.stream(values).forEach(row -> Arrays.fill(row, Double.NaN));
    for (Cell cell : cells) {
      values[layers.indexOf(cell.layer())][modules.indexOf(cell.module())] = cell.value();
    }
    return new Grid(layers, modules, values);
  }

  private static int order(String module) {
    int index = ORDER.indexOf(module);
    return index < 0 ? ORDER.size() : index;
  }

  double least() {
    return present().min().orElse(0);
  }

  double most() {
    return present().max().orElse(0);
  }

  private DoubleStream present() {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).filter(v -> !Double.isNaN(v));
  }
}
