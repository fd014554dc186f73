package io.guilomo.spark.cli;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.table.SqlViews;
import io.guilomo.spark.table.Table;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sql}. */
@Command(
    name = "sql",
    description = "Queries the tables and views of an output directory.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class SqlCommand implements Callable<Integer> {

  private final JobRunner runner;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      required = true,
      description = "Output directory of the runs: output.dir in their configuration.")
  private String output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "TABLE",
      description = "table, json (one object per line) or csv.")
  private RowFormat format;

  @Option(
      names = "--verbose",
      description = "Shows Spark's messages, and the stack trace of an error.")
  private boolean verbose;

  @Parameters(
      paramLabel = "QUERY",
      arity = "0..1",
      description = "Spark SQL; without it, lists the tables and views.")
  private String query;

  SqlCommand(JobRunner runner) {
    this.runner = runner;
  }

  @Override
  public Integer call() throws Exception {
    runner.run(
        "sql",
        verbose,
        (spark, progress, out) -> {
          SqlViews.register(spark, output);
          if (query == null) {
            list(spark, out);
          } else {
            Dataset<Row> rows = SqlViews.query(spark, query);
            print(rows, out);
          }
        });
    return 0;
  }

  private void print(Dataset<Row> rows, PrintStream out) {
    try {
      format.print(rows, out);
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      if (ExceptionUtils.getRootCause(e) instanceof SparkThrowable) {
        throw new UserException("Cannot run the query: " + UserPath.reason(e), e);
      }
      throw e;
    }
  }

  private static void list(SparkSession spark, PrintStream out) {
    for (Table<?> table : SqlViews.TABLES) {
      out.println("table " + describe(spark, table.name()));
    }
    for (String view : SqlViews.VIEWS) {
      out.println("view  " + describe(spark, view));
    }
  }

  private static String describe(SparkSession spark, String name) {
    return String.format(
        Locale.ROOT, "%-18s %s", name, String.join(", ", spark.table(name).columns()));
  }
}
