package io.guilomo.spark.catalog;

import io.guilomo.config.OutputConfig;
import io.guilomo.config.OutputConfig.Tables;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.AsNamed;
import io.guilomo.spark.table.Table;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.parser.ParseException;
import scala.collection.JavaConverters;

/**
 * What {@code output.catalog} names, and how SQL names the tables in it.
 *
 * @param parts the catalog and its namespace; empty for a directory
 */
record CatalogName(Tables format, String text, List<String> parts) {

  /** Spark's errors for what is not there. */
  private static final Set<String> MISSING = Set.of("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND");

  /**
   * @throws UserException if it is neither a catalog and a namespace nor a directory of a format
   *     that has tables without a catalog
   */
  static CatalogName of(SparkSession spark, OutputConfig output) {
    Tables format = output.tables();
    String text = output.catalog();
    if (format == Tables.DELTA && text.contains("/")) {
      if (!UserPath.isUri(text) && !text.startsWith("/")) {
        throw new UserException(
            "Cannot use guilomo.output.catalog = %s: a directory must be absolute", text);
      }
      return new CatalogName(format, text.replaceFirst("/+$", ""), List.of());
    }
    List<String> parts = parse(spark, text);
    if (parts.size() < 2) {
      throw new UserException(
          "Cannot use guilomo.output.catalog = %s: it must name a catalog and a namespace, such as %s",
          text, format == Tables.DELTA ? "spark_catalog.guilomo" : "lake.guilomo");
    }
    return new CatalogName(format, text, parts);
  }

  private static List<String> parse(SparkSession spark, String text) {
    try {
      return JavaConverters.seqAsJavaList(
          spark.sessionState().sqlParser().parseMultipartIdentifier(text));
    } catch (ParseException e) {
      throw new UserException(
          "Cannot use guilomo.output.catalog = %s: it must name a catalog and a namespace, such as"
              + " lake.guilomo",
          text);
    }
  }

  boolean isDirectory() {
    return parts.isEmpty();
  }

  /** The catalog's name; Delta's directories belong to Spark's own. */
  String catalog() {
    return isDirectory() ? "spark_catalog" : parts.get(0);
  }

  /** The namespace, with its catalog, in SQL. */
  String namespace() {
    return parts.stream().map(AsNamed::quoted).collect(Collectors.joining("."));
  }

  /** Whether the catalog has the namespace. */
  boolean exists(SparkSession spark) {
    return found(() -> spark.sql("DESCRIBE NAMESPACE " + namespace()).collect());
  }

  /** Whether there is the table. */
  boolean exists(SparkSession spark, Table<?> table) throws IOException {
    if (isDirectory()) {
      Path log = new Path(UserPath.of(text), table.name() + "/_delta_log");
      return log.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(log);
    }
    return found(() -> spark.table(table(table)));
  }

  private static boolean found(Runnable look) {
    try {
      look.run();
      return true;
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      if (e instanceof AnalysisException known
          && MISSING.contains(String.valueOf(known.getErrorClass()))) {
        return false;
      }
      throw e;
    }
  }

  /** A table in SQL. */
  String table(Table<?> table) {
    return isDirectory()
        ? "delta." + AsNamed.quoted(text + "/" + table.name())
        : namespace() + "." + AsNamed.quoted(table.name());
  }

  @Override
  public String toString() {
    return text;
  }
}
