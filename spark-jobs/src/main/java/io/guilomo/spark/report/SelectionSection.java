package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.col;

import io.guilomo.spark.report.LineChart.Line;
import io.guilomo.spark.report.LineChart.Point;
import io.guilomo.spark.report.SelectionHistory.Choices;
import io.guilomo.spark.report.SelectionHistory.MeanEntry;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/** How the GuidedSelection Vectors (GSVs) moved during the search. */
final class SelectionSection implements ReportSection {

  @Override
  public Optional<Html> of(RunTables tables) {
    return tables.selection().map(history -> html(history, early(tables)));
  }

  /** The searches that stopped before their last step, in one sentence; empty if none did. */
  private static String early(RunTables tables) {
    return tables
        .measured(MetricsTable.INSTANCE)
        .filter(col("name").equalTo(MetricsTable.SPARED_STEPS))
        .orderBy("seed")
        .collectAsList()
        .stream()
        .map(SelectionSection::early)
        .collect(
            Collectors.collectingAndThen(
                Collectors.joining(", "),
                ends ->
                    ends.isEmpty()
                        ? ""
                        : " Stopped early, as the plan stayed as it was: " + ends + "."));
  }

  private static String early(Row end) {
    long steps = end.<Long>getAs("step") + 1;
    return Numbers.format(
        "seed %d after %,d of %,d steps",
        end.<Long>getAs("seed"), steps, steps + end.<Double>getAs("value").longValue());
  }

  private static Html html(SelectionHistory history, String early) {
    int searches = history.lastRounds().size();
    Html html = ReportSection.begin("Course of the search");
    html.element(
        "p",
        "The expert vector of a module has one entry per number of experts, the rank vector of an expert one"
            + (history.expected()
                ? " per rank: the logits of a distribution, whose median is the choice shown here."
                : " per rank; the largest entry is the choice.")
            + (searches == 1
                ? ""
                : Numbers.format(" Seed %d is shown, the first of %d.", history.seed(), searches))
            + early);
    html.open("div", "class", "charts");
    html.add(layers(history).html());
    html.add(moved(history).html());
    html.add(
        entries(
                "Mean entries of the expert vectors",
                GsvHistoryTable.EXPERTS,
                index -> index > 0 ? index + 1 + " experts" : single(history),
                history)
            .html());
    html.add(
        entries(
                "Mean entries of the rank vectors",
                GsvHistoryTable.RANK,
                index -> "rank " + (index + 1),
                history)
            .html());
    return html.close("div").close("section");
  }

  /** The entry for one expert, which is allocated only where there is no other candidate. */
  private static String single(SelectionHistory history) {
    if (history.least() == 1) {
      return "1 expert";
    }
    return history.expected() ? "1 (not used)" : "1 (counts as 2)";
  }

  /** Experts that the vectors choose, by layer or by one of at most eight groups of layers. */
  private static LineChart layers(SelectionHistory history) {
    List<Choices> rows =
        history.shown().stream().filter(row -> row.kind().equals(GsvHistoryTable.EXPERTS)).toList();
    List<Integer> layers = rows.stream().map(Choices::layer).distinct().toList();
    int group = (layers.size() + LineChart.LINES - 1) / LineChart.LINES;
    Map<Integer, List<Choices>> groups =
        rows.stream()
            .collect(
                Collectors.groupingBy(
                    row -> row.layer() / group, TreeMap::new, Collectors.toList()));
    Map<String, List<Point>> lines = new LinkedHashMap<>();
    groups.forEach(
        (number, members) -> {
          List<Integer> of = members.stream().map(Choices::layer).distinct().sorted().toList();
          String name =
              of.size() == 1
                  ? "layer " + of.get(0)
                  : "layers " + of.get(0) + "–" + of.get(of.size() - 1);
          lines.put(name, points(members, Choices::chosen, row -> 1));
        });
    return chart(
        group == 1 ? "Experts per layer" : "Experts per layer, mean over neighbouring layers",
        lines,
        true,
        history);
  }

  /** How many choices differ from those at the start. */
  private static LineChart moved(SelectionHistory history) {
    Map<String, List<Point>> lines = new LinkedHashMap<>();
    history.shown().stream()
        .collect(Collectors.groupingBy(Choices::kind, TreeMap::new, Collectors.toList()))
        .forEach(
            (kind, rows) ->
                lines.put(
                    kind.equals(GsvHistoryTable.RANK) ? "ranks" : "numbers of experts",
                    points(rows, Choices::moved, Choices::all)));
    return chart(
        history.expected() || history.planned()
            ? "Share of the choices that differ from those at the start"
            : "Share of the choices that differ from the random ones at the start",
        lines,
        false,
        history);
  }

  /** The ratio of two sums, for each round. */
  private static List<Point> points(
      List<Choices> rows, ToLongFunction<Choices> above, ToLongFunction<Choices> below) {
    Map<Long, List<Choices>> rounds =
        rows.stream()
            .collect(Collectors.groupingBy(Choices::round, TreeMap::new, Collectors.toList()));
    List<Point> points = new ArrayList<>();
    rounds.forEach(
        (round, members) ->
            points.add(
                new Point(
                    (double) round,
                    (double) members.stream().mapToLong(above).sum()
                        / members.stream().mapToLong(below).sum())));
    return points;
  }

  /** Mean entries of one kind of vector, with one line per entry. */
  private static LineChart entries(
      String title, String kind, IntFunction<String> name, SelectionHistory history) {
    Map<String, List<Point>> lines = new LinkedHashMap<>();
    for (MeanEntry entry : history.entries()) {
      if (entry.kind().equals(kind)) {
        lines
            .computeIfAbsent(name.apply(entry.index()), key -> new ArrayList<>())
            .add(new Point((double) entry.round(), entry.value()));
      }
    }
    return chart(title, lines, true, history);
  }

  private static LineChart chart(
      String title, Map<String, List<Point>> lines, boolean ordered, SelectionHistory history) {
    String note =
        history.stride() == 1 ? "" : Numbers.format("One in %d rounds is drawn.", history.stride());
    return new LineChart(title, "round", distinct(lines), ordered, note);
  }

  /** As many lines as colours can tell apart: all, or an even selection. */
  private static List<Line> distinct(Map<String, List<Point>> points) {
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
