package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;

import io.guilomo.spark.report.LineChart.Line;
import io.guilomo.spark.report.LineChart.Point;
import io.guilomo.spark.table.MetricsTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Learning curves, averaged over the workers. */
final class CurvesSection implements ReportSection {

  /** One chart: its title, and its metrics in the order of their lines. */
  private record Chart(String title, List<Measure> lines) {}

  private record Measure(String line, String split, String name) {

    /** What it is called in the table. */
    String key() {
      return split + " " + name;
    }
  }

  /** One job that trained, and the seed whose lines are shown. */
  private record Training(String job, long seed, long lastStep, int seeds) {}

  private static final List<Chart> CHARTS =
      List.of(
          new Chart(
              "Loss",
              List.of(
                  new Measure("training", "train", "loss"),
                  new Measure("validation batches", "validation", "batch_loss"),
                  new Measure("all validation records", "validation", "loss"))),
          chart("Accuracy on the validation records", "validation", "accuracy"),
          chart("Gradient norm before clipping", "train", "gradient_norm"),
          chart("Loss of the routers", "train", "balance_loss"),
          chart("Router entropy in nats, mean over the modules", "train", "router_entropy"),
          chart("Share of the busiest expert, mean over the modules", "train", "expert_load_max"),
          chart("Experts per token, mean over the modules", "train", MetricsTable.ACTIVE_EXPERTS),
          chart("Tokens per second per worker", "train", "tokens_per_second"),
          chart("Share of the plan's ranks that changed", "train", "plan_change"),
          chart("Learning rate", "train", "learning_rate"));

  private static Chart chart(String title, String split, String name) {
    return new Chart(
        title, List.of(new Measure(split.equals("train") ? "training" : split, split, name)));
  }

  @Override
  public Optional<Html> of(RunTables tables) {
    Dataset<Row> curves =
        tables
            .measured(MetricsTable.INSTANCE)
            .filter(col("worker").equalTo(MetricsTable.ALL_WORKERS).and(col("module").isNull()));
    Html html = new Html();
    trainings(curves).forEach(training -> html.add(html(curves, training)));
    return html.toString().isEmpty() ? Optional.empty() : Optional.of(html);
  }

  /** The jobs with their smallest seeds, in the order of their first measurements. */
  private static List<Training> trainings(Dataset<Row> curves) {
    return curves
        .groupBy("job")
        .agg(min("seed"), max("step"), countDistinct("seed"), min("at").as("at"))
        .orderBy("at")
        .collectAsList()
        .stream()
        .map(
            row ->
                new Training(
                    row.getString(0),
                    row.getLong(1),
                    row.getLong(2),
                    Math.toIntExact(row.getLong(3))))
        .toList();
  }

  private static Html html(Dataset<Row> curves, Training training) {
    long stride = 1 + training.lastStep() / LineChart.POINTS;
    Map<String, List<Point>> points = points(curves, training, stride);
    Html html = ReportSection.begin("Learning curves: " + training.job());
    if (training.seeds() > 1) {
      html.element(
          "p",
          Numbers.format("Seed %d is shown, the first of %d.", training.seed(), training.seeds()));
    }
    String note = stride == 1 ? "" : Numbers.format("Each point is the mean of %d steps.", stride);
    html.open("div", "class", "charts");
    for (Chart chart : CHARTS) {
      List<Line> lines =
          chart.lines().stream()
              .filter(measure -> points.containsKey(measure.key()))
              .map(measure -> new Line(measure.line(), points.get(measure.key())))
              .toList();
      if (!lines.isEmpty()) {
        html.add(new LineChart(chart.title(), "step", lines, false, note).html());
      }
    }
    return html.close("div").close("section");
  }

  private static Map<String, List<Point>> points(
      Dataset<Row> curves, Training training, long stride) {
    Map<String, List<Point>> points = new LinkedHashMap<>();
    for (Row row :
        curves
            .filter(col("job").equalTo(training.job()).and(col("seed").equalTo(training.seed())))
            .groupBy(
                col("split"), col("name"), col("step").minus(col("step").mod(stride)).as("begin"))
            .agg(avg("step"), avg("value"))
            .orderBy("split", "name", "begin")
            .collectAsList()) {
      points
          .computeIfAbsent(row.getString(0) + " " + row.getString(1), key -> new ArrayList<>())
          .add(new Point(row.getDouble(3), row.getDouble(4)));
    }
    return points;
  }
}
