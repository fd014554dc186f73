package io.guilomo.spark.session;

import org.apache.spark.sql.SparkSession;

/**
 * A session whose queries are interpreted. To generate and compile code for a query takes longer
 * than to run it once over few rows, or over rows of which each costs more afterwards.
 */
public final class InterpretedSession {

  private InterpretedSession() {}

  /** A new session beside the given one. */
  public static SparkSession beside(SparkSession spark) {
    SparkSession own = spark.newSession();
    interpret(own);
    return own;
  }

  /** Has the later queries of the session itself interpreted. */
  public static void interpret(SparkSession own) {
    own.conf().set("spark.sql.codegen.wholeStage", "false");
    own.conf().set("spark.sql.codegen.factoryMode", "NO_CODEGEN");
  }
}
