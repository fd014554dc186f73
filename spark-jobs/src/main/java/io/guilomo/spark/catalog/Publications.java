package io.guilomo.spark.catalog;

import io.guilomo.config.OutputConfig;
import io.guilomo.config.OutputConfig.Tables;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.InterpretedSession;
import io.guilomo.spark.table.RunRows;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import java.io.IOException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.SparkSession;

/**
 * Publishes rows of an output directory to tables of the user's catalog, as {@code output.tables}
 * and {@code output.catalog} say; does nothing if these name none. The Parquet tables remain what
 * jobs write and read. All rows of a run are published each time, in one transaction per table, so
 * that whatever an earlier publication missed is made up for.
 */
public final class Publications {

  /** Writers of other runs commit to the same tables. */
  private static final int ATTEMPTS = 5;

  private static final long PAUSE_MILLIS = 200;

  /** Table {@code runs} last: a job that has ended there has all of its rows. */
  private static final List<Table<?>> TABLES =
      SqlViews.TABLES.stream()
          .sorted(Comparator.comparing(table -> table == RunsTable.INSTANCE))
          .toList();

  private final SparkSession spark;
  private final OutputConfig output;
  private final Consumer<String> messages;
  private final boolean ofParts;
  private final Map<String, UnpublishedException> unpublished = new LinkedHashMap<>();
  private boolean checked;

  /** What a job does once its rows are published. */
  @FunctionalInterface
  public interface Done {
    void run() throws IOException;
  }

  /**
   * @param messages gets what the user is told, one line at a time
   */
  public Publications(SparkSession spark, OutputConfig output, Consumer<String> messages) {
    this(spark, output, messages, false);
  }

  private Publications(
      SparkSession spark, OutputConfig output, Consumer<String> messages, boolean ofParts) {
    this.spark = spark;
    this.output = output;
    this.messages = messages;
    this.ofParts = ofParts;
  }

  /** For jobs of runs that are parts of another, with whose rows theirs are published. */
  public Publications ofParts() {
    return new Publications(spark, output, messages, true);
  }

  private boolean off() {
    return output.tables() == Tables.PARQUET;
  }

  /**
   * Makes sure, before the first job works, that its tables could be published now.
   *
   * @throws UserException with what is missing
   */
  public void require() {
    if (!off() && !ofParts && !checked) {
      check();
      checked = true;
    }
  }

  /**
   * Looks for the library, the settings and the catalog.
   *
   * @return what was found, in one line
   * @throws UserException with what is missing
   */
  public String check() {
    return new CatalogCheck(spark, CatalogName.of(spark, output)).run();
  }

  /**
   * Publishes the rows of a run at the end of a job, which does not fail if that fails: {@link
   * #finish} does.
   *
   * @param parts whether the run has parts, named after it, whose rows are published too
   * @param done is run once the rows are published
   */
  public void ended(String runId, boolean parts, Done done) throws IOException {
    if (!off() && !ofParts) {
      try {
        publish(parts ? withParts(runId) : List.of(runId));
        unpublished.remove(runId);
        messages.accept("tables of run " + runId + " published to " + output.catalog());
      } catch (UnpublishedException e) {
        unpublished.put(runId, e);
        messages.accept("warning: " + e.getMessage());
        return;
      }
    }
    done.run();
  }

  /** A run and its parts, as far as they have ended. */
  private List<String> withParts(String runId) {
    return RunRows.runs(spark, output.dir()).stream()
        .filter(run -> run.equals(runId) || run.startsWith(runId + "."))
        .toList();
  }

  /**
   * Ends the jobs of a command.
   *
   * @throws UnpublishedException if the rows of a run could not be published
   */
  public void finish() {
    for (UnpublishedException failure : unpublished.values()) {
      throw failure;
    }
  }

  /**
   * Publishes runs whose jobs have ended.
   *
   * @param runId empty: all runs of the output directory
   * @return the runs that were published
   * @throws UserException if there is no such run, or what it takes is missing
   * @throws UnpublishedException if the catalog fails
   */
  public List<String> publish(String runId) {
    require();
    List<String> all = RunRows.runs(spark, output.dir());
    if (!runId.isEmpty() && !all.contains(runId)) {
      throw new UserException(
          "Cannot publish run %s: %s/tables/runs does not have it", runId, output.dir());
    }
    List<String> runs = runId.isEmpty() ? all : List.of(runId);
    publish(runs);
    return runs;
  }

  private void publish(List<String> runs) {
    // The user's settings of catalogs may be the session's own.
    SparkSession own = spark.cloneSession();
    InterpretedSession.interpret(own);
    Table<?> current = TABLES.get(0);
    try {
      CatalogName name = CatalogName.of(own, output);
      if (!name.isDirectory() && !name.exists(own)) {
        own.sql("CREATE NAMESPACE IF NOT EXISTS " + name.namespace());
      }
      for (Table<?> table : TABLES) {
        current = table;
        publish(own, new PublishedTable(own, name, table, messages), runs);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnpublishedException(text(current, runs, e), e);
    } catch (Exception | LinkageError e) {
      // A library that is for another Spark is no reason to lose a job, either.
      throw new UnpublishedException(text(current, runs, e), e);
    }
  }

  /**
   * Publishes until the rows are those of the files: another job of the run may be writing, and its
   * own publication may precede this one.
   */
  private void publish(SparkSession own, PublishedTable published, List<String> runs)
      throws Exception {
    for (int attempt = 1; ; attempt++) {
      RunRows rows = RunRows.list(own, output.dir(), published.table(), runs);
      try {
        published.replace(rows);
        if (attempt == ATTEMPTS || !rows.haveChanged()) {
          return;
        }
      } catch (Exception e) {
        if (attempt == ATTEMPTS || !isConflict(e) && !rows.haveChanged()) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(
            PAUSE_MILLIS * attempt + Math.floorMod(System.nanoTime(), PAUSE_MILLIS));
      }
    }
  }

  /** Whether another writer was faster; the formats' classes are known by name only. */
  private static boolean isConflict(Exception exception) {
    String error =
        exception instanceof SparkThrowable known ? String.valueOf(known.getErrorClass()) : "";
    return error.startsWith("DELTA_CREATE_TABLE_")
        || error.startsWith("FIELDS_ALREADY_EXISTS")
        || ExceptionUtils.getThrowableList(exception).stream()
            .map(cause -> cause.getClass().getSimpleName())
            .anyMatch(
                name ->
                    name.startsWith("Concurrent")
                        || name.startsWith("Commit")
                        || name.endsWith("AlreadyExistsException")
                        || name.equals("MetadataChangedException")
                        || name.equals("ProtocolChangedException"));
  }

  private String text(Table<?> table, List<String> runs, Throwable e) {
    String those = runs.size() == 1 ? "run " + runs.get(0) : runs.size() + " runs";
    String option = runs.size() == 1 ? " and --set run.id=" + runs.get(0) : "";
    return "Cannot publish table %s of %s to %s: %s; the Parquet tables are complete, and deploy/guilomo publish-tables with the same configuration%s publishes them"
        .formatted(table, those, output.catalog(), reason(e), option);
  }

  /** The first line of what the first cause says, without Spark's class of error. */
  static String reason(Throwable e) {
    return UserPath.reason(e).replaceFirst("^\\[[A-Z0-9_.]+] ", "");
  }
}
