package io.guilomo.spark.report;

import io.guilomo.model.ConstantName;
import io.guilomo.model.Sharing;
import io.guilomo.spark.table.JobRun;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Row;

/** Trainable parameters of the plan next to those of the uniform and of the full plan. */
final class ParametersSection implements ReportSection {

  /** Settings that give the size of the uniform and of the full plan. */
  private static final Set<String> SIZES =
      Set.of("allocation.experts", "allocation.rank", "lora-moe.max-experts", "lora-moe.max-rank");

  @Override
  public Optional<Html> of(RunTables tables) {
    return Allocation.of(tables)
        .flatMap(
            allocation ->
                tables.jobs().stream()
                    .reduce((job, later) -> makesPlan(job) && !makesPlan(later) ? job : later)
                    .map(job -> SettingsSection.recorded(job.getAs("config_json")))
                    .filter(settings -> settings.keySet().containsAll(SIZES))
                    .map(settings -> html(allocation, settings)));
  }

  /**
   * Whether a job left the plan that the run's tables hold; view parameters_saved says the same.
   */
  private static boolean makesPlan(Row job) {
    Map<String, String> settings = SettingsSection.recorded(job.getAs("config_json"));
    return switch (job.<String>getAs("job")) {
      case JobRun.ALLOCATE -> true;
      case JobRun.FINETUNE -> !settings.getOrDefault("finetune.plan", "").isBlank();
      case JobRun.COMPARE -> settings.getOrDefault("compare.find-smallest", "").equals("true");
      default -> false;
    };
  }

  private static Html html(Allocation allocation, Map<String, String> settings) {
    String experts = settings.get("allocation.experts");
    String rank = settings.get("allocation.rank");
    String maxExperts = settings.get("lora-moe.max-experts");
    String maxRank = settings.get("lora-moe.max-rank");
    Sharing sharing = sharing(settings);
    long own = allocation.parameters();
    long uniform =
        allocation.parameters(Integer.parseInt(experts), Integer.parseInt(rank), sharing);
    long full =
        allocation.parameters(Integer.parseInt(maxExperts), Integer.parseInt(maxRank), sharing);
    double saved = 1 - (double) own / uniform;
    Html html = ReportSection.beginHalf("Trainable parameters");
    html.element(
        "p",
        Numbers.format(
            "%s %s than the uniform plan of %s experts of rank %s.",
            Numbers.percent(Math.abs(saved)), saved >= 0 ? "fewer" : "more", experts, rank));
    ReportSection.table(
        html,
        "Trainable parameters, including routers",
        List.of("plan", "parameters"),
        "class",
        "bars");
    double most = Math.max(full, own);
    line(html, "this plan", own, most);
    line(html, experts + " experts of rank " + rank, uniform, most);
    line(html, maxExperts + " experts of rank " + maxRank, full, most);
    return html.close("tbody").close("table").close("div").close("section");
  }

  /** Runs of earlier releases record none. */
  private static Sharing sharing(Map<String, String> settings) {
    return Optional.ofNullable(settings.get("lora-moe.sharing"))
        .flatMap(name -> ConstantName.find(Sharing.class, name))
        .orElse(Sharing.NONE);
  }

  private static void line(Html html, String plan, long parameters, double most) {
    html.open("tr").element("th", plan, "scope", "row").open("td");
    html.element("span", Numbers.count(parameters));
    html.bar(parameters / most).close("td").close("tr");
  }
}
