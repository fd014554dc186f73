package io.guilomo.spark.search;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.LinearModule;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.TableReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * A search that has ended, from whose GuidedSelection Vectors the plan within any budget is read
 * off.
 *
 * @param runId the run that searched
 * @param estimator that it searched with
 * @param whole the plan that it found: without a budget, or within the one that it headed for
 */
public record FinishedSearch(
    TableReader reader, String runId, Estimator estimator, AllocationPlan whole) {

  /** A vector of a module; expert −1 stands for the expert vector. */
  private record Vector(int layer, String module, int expert) {}

  /**
   * The plan that the search would have ended with within this budget, had it not headed for
   * another.
   *
   * @param budget most trainable parameters
   * @throws io.guilomo.model.UserException if as few experts as can be, of rank one, are over it
   */
  public AllocationPlan plan(long budget) {
    Map<Vector, TreeMap<Integer, Float>> entries = entries();
    List<GuidedSelection> selections = new ArrayList<>();
    for (ModulePlan planned : whole.modules()) {
      float[] experts = vector(entries, planned.module(), -1);
      float[][] ranks = new float[experts.length][];
      long[] routed = new long[experts.length];
      for (int e = 0; e < experts.length; e++) {
        ranks[e] = vector(entries, planned.module(), e);
        routed[e] = e < planned.experts().size() ? planned.experts().get(e).routedTokens() : 0;
      }
      selections.add(new GuidedSelection(planned.module(), experts, ranks, routed));
    }
    return AllocationStrategies.learned(estimator, whole.seed(), whole.form(), selections, budget)
        .learnedWith(whole.backboneDigest());
  }

  private Map<Vector, TreeMap<Integer, Float>> entries() {
    Dataset<Row> history =
        reader.read(GsvHistoryTable.INSTANCE, runId).filter(col("seed").equalTo(whole.seed()));
    long last = history.agg(max("round")).first().getLong(0);
    Map<Vector, TreeMap<Integer, Float>> entries = new HashMap<>();
    for (Row row : history.filter(col("round").equalTo(last)).collectAsList()) {
      Integer expert = row.getAs("expert");
      Vector vector =
          new Vector(row.getAs("layer"), row.getAs("module"), expert == null ? -1 : expert);
      // Written as the double of a float: nothing is lost.
      entries
          .computeIfAbsent(vector, unread -> new TreeMap<>())
          .put(row.getAs("index"), row.<Double>getAs("value").floatValue());
    }
    return entries;
  }

  private float[] vector(
      Map<Vector, TreeMap<Integer, Float>> entries, LinearModule module, int expert) {
    TreeMap<Integer, Float> values = entries.get(new Vector(module.layer(), module.name(), expert));
    if (values == null) {
      throw new IllegalStateException(
          "Cannot read the search of run %s: table %s has no vector of %s"
              .formatted(runId, GsvHistoryTable.INSTANCE, module));
    }
    float[] vector = new float[values.size()];
    values.forEach((index, value) -> vector[index] = value);
    return vector;
  }
}
