package io.guilomo.spark.report;

import java.util.Optional;
import org.apache.spark.sql.Row;

/**
 * How many choices a search, or all searches of a run, made other than the random ones that they
 * began with.
 *
 * @param experts modules that got another number of experts
 * @param modules all of them
 * @param ranks candidate experts whose rank is another, also of those that got no place in the plan
 * @param candidates all of them
 */
record ChangedChoices(long experts, long modules, long ranks, long candidates) {

  /** The allocated number or rank that an entry stands for: at least two experts. */
  static final String CHOICE =
      "CASE WHEN kind = 'experts' THEN greatest(2, index + 1) ELSE index + 1 END";

  static Optional<ChangedChoices> of(RunTables tables) {
    Row row =
        tables
            .measured(
                "WITH choices AS (SELECT seed, layer, module, kind, expert,"
                    + " min_by("
                    + CHOICE
                    + ", round) AS first, max_by("
                    + CHOICE
                    + ", round) AS last FROM gsv_history WHERE is_argmax"
                    + " GROUP BY seed, layer, module, kind, expert)"
                    + " SELECT count_if(kind = 'experts' AND first <> last), count_if(kind = 'experts'),"
                    + " count_if(kind = 'rank' AND first <> last), count_if(kind = 'rank') FROM choices")
            .get(0);
    return row.getLong(1) == 0
        ? Optional.empty()
        : Optional.of(
            new ChangedChoices(row.getLong(0), row.getLong(1), row.getLong(2), row.getLong(3)));
  }

  String sentence() {
    return Numbers.format(
        "The search changed %s of %s numbers of experts and %s of %s ranks; the others are the random ones it"
            + " began with.",
        Numbers.count(experts),
        Numbers.count(modules),
        Numbers.count(ranks),
        Numbers.count(candidates));
  }
}
