package io.guilomo.spark.data;

import io.guilomo.model.RecordSource;
import io.guilomo.model.RecordSource.Kind;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of a table of Spark's catalogs, or of a query.
 *
 * @param source no path
 */
public record CatalogRows(SparkSession spark, RecordSource source) {

  /**
   * The rows, which nothing has read yet.
   *
   * @throws UserException if there is no such table, the text is no query or cannot be resolved, or
   *     two columns have one name
   */
  public Dataset<Row> rows() {
    Dataset<Row> rows;
    try {
      rows = source.kind() == Kind.TABLE ? spark.table(source.text()) : query();
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      throw new UserException("Cannot read " + source.name() + ": " + reason(e), e);
    }
    Set<String> names = new HashSet<>();
    for (String name : rows.columns()) {
      if (!names.add(name.toLowerCase(Locale.ROOT))) {
        throw sameNames(source.name(), name, null);
      }
    }
    return rows;
  }

  /**
   * The refusal of a source with two columns of one name.
   *
   * @param cause null if Spark has not refused it
   */
  static UserException sameNames(String source, String column, Exception cause) {
    return new UserException(
        String.format(
            "Cannot read %s: two columns are named %s, ignoring case; rename one", source, column),
        cause);
  }

  /** Spark's estimate of their size. */
  static long bytes(Dataset<Row> rows) {
    return (long) rows.queryExecution().optimizedPlan().stats().sizeInBytes().doubleValue();
  }

  private Dataset<Row> query() throws Exception {
    // A statement that is no query would be executed at once.
    spark.sessionState().sqlParser().parseQuery(source.text());
    return spark.sql(source.text());
  }

  /** What Spark says, on one line, without its class of error and what follows the position. */
  private static String reason(Exception e) {
    if (e instanceof SparkThrowable known && known.getErrorClass() != null) {
      switch (known.getErrorClass()) {
        case "TABLE_OR_VIEW_NOT_FOUND":
          return "there is no table or view " + known.getMessageParameters().get("relationName");
        case "REQUIRES_SINGLE_PART_NAMESPACE":
          return "there is no catalog for "
              + known.getMessageParameters().get("namespace")
              + "; configure it with spark.sql.catalog.NAME";
        default:
          break;
      }
    }
    return Arrays.stream(String.valueOf(e.getMessage()).split("\\R", -1))
        .filter(line -> !line.isBlank())
        .findFirst()
        .orElse(e.getClass().getSimpleName())
        .strip()
        .replaceFirst("^\\[[A-Z0-9_.]+] ", "")
        .replaceFirst("[.; ]*\\(?line (\\d+),? pos (\\d+)[);]*$", " (line $1, position $2)");
  }
}
