package io.guilomo.spark.session;

import org.apache.spark.sql.SparkSession;

/**
 * A session that interprets queries. Generating and compiling code for a query takes longer than
 * running it once over few rows, or over rows whose processing afterwards dominates.
 */
public final class InterpretedSession {

  private InterpretedSession() {}

  /** A new session of the same Spark context. */
  public static SparkSession beside(SparkSession spark) {
    SparkSession own = spark.newSession();
    interpret(own);
    return own;
  }

  /** Makes the session itself interpret later queries. */
  public static void interpret(SparkSession own) {
    own.conf().set("spark.sql.codegen.wholeStage", "false");
    own.conf().set("spark.sql.codegen.factoryMode", "NO_CODEGEN");
  }
}
