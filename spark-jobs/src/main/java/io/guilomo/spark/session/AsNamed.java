package io.guilomo.spark.session;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Columns and files by their names, whatever their characters mean in expressions and patterns. */
public final class AsNamed {

  private AsNamed() {}

  /** The column of a name, with its dots and backticks. */
  public static Column column(String name) {
    return functions.col(quoted(name));
  }

  /** A name in SQL and in expressions, with its dots and backticks. */
  public static String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  /** A reader that takes a path as it is. */
  public static DataFrameReader reader(SparkSession spark) {
    return spark.read().option("__globPaths__", "false");
  }
}
