package io.guilomo.spark.report;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** Trainable parameters of the plan beside those of the uniform and of the full one. */
final class ParametersSection implements Section {

  @Override
  public Optional<Html> of(RunTables tables) {
    return Allocation.of(tables)
        .map(
            allocation ->
                tables.rows(
                    "SELECT parameters, uniform_parameters, full_parameters FROM parameters_saved"
                        + " WHERE strategy = :strategy AND seed = :seed AND uniform_parameters IS NOT NULL",
                    Map.of("strategy", allocation.strategy(), "seed", allocation.seed())))
        .filter(rows -> !rows.isEmpty())
        .map(rows -> html(rows.get(0), settings(tables)));
  }

  /** Experts and rank of the uniform plan, then of the full one. */
  private static List<String> settings(RunTables tables) {
    Row row =
        tables
            .rows(
                "SELECT any_value(get_json_object(config_json, '$.guilomo.allocation.experts')),"
                    + " any_value(get_json_object(config_json, '$.guilomo.allocation.rank')),"
                    + " any_value(get_json_object(config_json, \"$.guilomo['lora-moe']['max-experts']\")),"
                    + " any_value(get_json_object(config_json, \"$.guilomo['lora-moe']['max-rank']\"))"
                    + " FROM runs")
            .get(0);
    return List.of(row.getString(0), row.getString(1), row.getString(2), row.getString(3));
  }

  private static Html html(Row row, List<String> settings) {
    long own = row.getLong(0);
    long uniform = row.getLong(1);
    double saved = 1 - (double) own / uniform;
    Html html = Section.beginHalf("Trainable parameters");
    html.element(
        "p",
        Numbers.format(
            "%s %s than the uniform plan of %s experts of rank %s.",
            Numbers.percent(Math.abs(saved)),
            saved >= 0 ? "fewer" : "more",
            settings.get(0),
            settings.get(1)));
    html.open("div", "class", "scroll").open("table", "class", "bars");
    html.element("caption", "Trainable parameters, routers included");
    Section.head(html, List.of("plan", "parameters"));
    double most = Math.max(row.getLong(2), own);
    line(html, "this plan", own, most);
    line(html, settings.get(0) + " experts of rank " + settings.get(1), uniform, most);
    line(html, settings.get(2) + " experts of rank " + settings.get(3), row.getLong(2), most);
    return html.close("tbody").close("table").close("div").close("section");
  }

  private static void line(Html html, String plan, long parameters, double most) {
    html.open("tr").element("th", plan, "scope", "row").open("td");
    html.element("span", Numbers.count(parameters));
    html.bar(parameters / most).close("td").close("tr");
  }
}
