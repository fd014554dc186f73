package io.guilomo.spark.report;

import io.guilomo.spark.report.LineChart.Line;
import io.guilomo.spark.report.LineChart.Point;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** How the GuidedSelection Vectors (GSVs) moved while the search went on. */
final class SelectionSection implements Section {

  /** Rounds of the search that is shown, that of the smallest seed. */
  private record Search(long seed, long last, long stride, int layers) {

    Map<String, Object> values() {
      return Map.of("seed", seed, "last", last, "stride", stride);
    }

    String note() {
      return stride == 1 ? "" : Numbers.format("One of %d rounds is drawn.", stride);
    }
  }

  private static final String SHOWN =
      "now.seed = :seed AND (now.round % :stride = 0 OR now.round = :last)";

  @Override
  public Optional<Html> of(RunTables tables) {
    List<Row> found =
        tables.measured(
            "SELECT seed, max(round), count(DISTINCT layer) FROM gsv_history GROUP BY seed ORDER BY seed");
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Row first = found.get(0);
    long last = first.getLong(1);
    Search search =
        new Search(
            first.getLong(0), last, 1 + last / LineChart.POINTS, Math.toIntExact(first.getLong(2)));
    Html html = Section.begin("How the search went");
    html.element(
        "p",
        "A module's expert vector has an entry for each number of experts, an expert's rank vector one for"
            + " each rank; the largest entry is the choice."
            + (found.size() == 1
                ? ""
                : Numbers.format(
                    " Shown is seed %d, the first of %d.", search.seed(), found.size())));
    html.open("div", "class", "charts");
    html.add(layers(tables, search).html());
    html.add(moved(tables, search).html());
    entries(tables, search).forEach(chart -> html.add(chart.html()));
    return Optional.of(html.close("div").close("section"));
  }

  /** Experts that the vectors choose: of each layer, or of each of at most eight groups of them. */
  private static LineChart layers(RunTables tables, Search search) {
    int group = (search.layers() + LineChart.LINES - 1) / LineChart.LINES;
    Map<String, Object> values = new LinkedHashMap<>(search.values());
    values.put("group", group);
    Map<String, List<Point>> lines = new LinkedHashMap<>();
    for (Row row :
        tables.measured(
            "SELECT layer DIV :group, min(layer), max(layer), round,"
                + " sum("
                + ChangedChoices.CHOICE
                + ") / count(DISTINCT layer)"
                + " FROM gsv_history now WHERE kind = 'experts' AND is_argmax AND "
                + SHOWN
                + " GROUP BY layer DIV :group, round ORDER BY layer DIV :group, round",
            values)) {
      String name =
          row.getInt(1) == row.getInt(2)
              ? "layer " + row.getInt(1)
              : "layers " + row.getInt(1) + "–" + row.getInt(2);
      add(lines, name, row.getLong(3), row.getDouble(4));
    }
    return new LineChart(
        group == 1 ? "Experts of each layer" : "Experts of a layer, mean of neighbours",
        "round",
        lines(lines),
        true,
        search.note());
  }

  /** How many choices differ from those at the beginning. */
  private static LineChart moved(RunTables tables, Search search) {
    Map<String, List<Point>> lines = new LinkedHashMap<>();
    for (Row row :
        tables.measured(
            "WITH choices AS (SELECT *, "
                + ChangedChoices.CHOICE
                + " AS choice FROM gsv_history WHERE is_argmax AND seed = :seed)"
                + " SELECT now.kind, now.round,"
                + " avg(CASE WHEN now.choice <> begun.choice THEN 1.0D ELSE 0.0D END)"
                + " FROM choices now JOIN choices begun"
                + " ON now.layer = begun.layer AND now.module = begun.module"
                + " AND now.kind = begun.kind AND now.expert <=> begun.expert"
                + " WHERE begun.round = 0 AND "
                + SHOWN
                + " GROUP BY now.kind, now.round ORDER BY now.kind, now.round",
            search.values())) {
      add(
          lines,
          row.getString(0).equals("rank") ? "ranks" : "numbers of experts",
          row.getLong(1),
          row.getDouble(2));
    }
    return new LineChart(
        "Share of the choices that differ from the random ones at the beginning",
        "round",
        lines(lines),
        false,
        search.note());
  }

  /** Means of the entries: of the expert vectors, and of the rank vectors. */
  private static List<LineChart> entries(RunTables tables, Search search) {
    Map<String, List<Point>> experts = new LinkedHashMap<>();
    Map<String, List<Point>> ranks = new LinkedHashMap<>();
    for (Row row :
        tables.measured(
            "SELECT kind, index, round, avg(value) FROM gsv_history now WHERE "
                + SHOWN
                + " GROUP BY kind, index, round ORDER BY kind, index, round",
            search.values())) {
      int index = row.getInt(1);
      if (row.getString(0).equals("rank")) {
        add(ranks, "rank " + (index + 1), row.getLong(2), row.getDouble(3));
      } else {
        add(experts, entry(index), row.getLong(2), row.getDouble(3));
      }
    }
    return List.of(
        new LineChart(
            "Mean entry of the expert vectors", "round", lines(experts), true, search.note()),
        new LineChart(
            "Mean entry of the rank vectors", "round", lines(ranks), true, search.note()));
  }

  /** At least two experts are allocated. */
  private static String entry(int index) {
    return index == 0 ? "1 (taken as 2)" : index + 1 + " experts";
  }

  private static void add(Map<String, List<Point>> lines, String name, long at, double value) {
    lines.computeIfAbsent(name, key -> new ArrayList<>()).add(new Point((double) at, value));
  }

  /** The lines that can be told apart: all, or evenly chosen ones. */
  private static List<Line> lines(Map<String, List<Point>> points) {
    List<Line> all = new ArrayList<>();
    points.forEach((name, line) -> all.add(new Line(name, line)));
    int stride = (all.size() + LineChart.LINES - 1) / LineChart.LINES;
    List<Line> lines = new ArrayList<>();
    for (int i = 0; i < all.size(); i += stride) {
      lines.add(all.get(i));
    }
    return lines;
  }
}
