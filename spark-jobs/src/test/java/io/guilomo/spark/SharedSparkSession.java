package io.guilomo.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import org.apache.spark.sql.SparkSession;

/** The one local session of a test JVM; it ends with the JVM. */
public final class SharedSparkSession {

  private static SparkSession session;

  private SharedSparkSession() {}

  public static synchronized SparkSession session() {
    if (session == null) {
      try {
        session =
            SparkSession.builder()
                .master("local[2]")
                .appName("tests")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.default.parallelism", "2")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.default.parallelism", "2")
                .config("spark.sql.session.timeZone", "UTC")
                .config("spark.sql.extensions", "io.guilomo.spark.ml.GuilomoExtensions")
                .config(
                    "spark.sql.warehouse.dir",
                    Files.createTempDirectory("warehouse").toUri().toString())
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
                .getOrCreate();
        session.sparkContext().setLogLevel("WARN");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return session;
  }
}
