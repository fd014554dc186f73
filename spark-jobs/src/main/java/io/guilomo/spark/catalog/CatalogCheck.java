package io.guilomo.spark.catalog;

import io.guilomo.config.OutputConfig.Tables;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** Whether tables can be published: before a job works for a day and cannot. */
record CatalogCheck(SparkSession spark, CatalogName name) {

  /** Versions that the tests use. */
  static final String ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0";

  static final String DELTA = "io.delta:delta-spark_2.12:3.3.2";

  private static final String ICEBERG_CATALOG = "org.apache.iceberg.spark.SparkCatalog";
  private static final String ICEBERG_SESSION_CATALOG =
      "org.apache.iceberg.spark.SparkSessionCatalog";
  private static final String DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog";
  private static final String DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension";
  private static final String EXTENSIONS = "spark.sql.extensions";

  /**
   * Looks for the library, the settings and the catalog; writes nothing.
   *
   * @return what was found
   * @throws UserException with the options of {@code spark-submit} that are missing, or with what
   *     the catalog says
   */
  String run() {
    List<String> missing = name.format() == Tables.DELTA ? delta() : iceberg();
    if (!missing.isEmpty()) {
      throw new UserException(
          "Cannot publish %s tables to %s: add %s", name.format(), name, String.join(" ", missing));
    }
    requireLastingCatalog();
    return reach();
  }

  private List<String> iceberg() {
    List<String> missing = packages(ICEBERG_CATALOG, ICEBERG);
    String setting = "spark.sql.catalog." + name.catalog();
    if (conf(setting).isEmpty()) {
      missing.add(
          "--conf %s=%s"
              .formatted(
                  setting,
                  name.catalog().equals("spark_catalog")
                      ? ICEBERG_SESSION_CATALOG
                      : ICEBERG_CATALOG));
      missing.add("and the catalog's settings, such as");
      missing.add("--conf " + setting + ".type=rest --conf " + setting + ".uri=URI");
    }
    return missing;
  }

  private List<String> delta() {
    List<String> missing = packages(DELTA_EXTENSION, DELTA);
    List<String> extensions = Arrays.asList(conf(EXTENSIONS).split("\\s*,\\s*", -1));
    if (!extensions.contains(DELTA_EXTENSION)) {
      String others = conf(EXTENSIONS).isEmpty() ? "" : conf(EXTENSIONS) + ",";
      missing.add("--conf " + EXTENSIONS + "=" + others + DELTA_EXTENSION);
    }
    String setting = "spark.sql.catalog." + name.catalog();
    if (conf(setting).isEmpty()) {
      missing.add("--conf " + setting + "=" + DELTA_CATALOG);
    }
    return missing;
  }

  private static List<String> packages(String type, String packages) {
    List<String> missing = new ArrayList<>();
    try {
      Class.forName(type, false, Thread.currentThread().getContextClassLoader());
    } catch (ClassNotFoundException e) {
      missing.add("--packages " + packages);
    }
    return missing;
  }

  /** Spark's own catalog, without Hive, forgets its tables when the driver ends. */
  private void requireLastingCatalog() {
    if (name.format() == Tables.DELTA
        && !name.isDirectory()
        && conf("spark.sql.catalog." + name.catalog()).equals(DELTA_CATALOG)
        && spark.conf().get("spark.sql.catalogImplementation").equals("in-memory")) {
      throw new UserException(
          "Cannot publish delta tables to %s: without --conf spark.sql.catalogImplementation=hive"
              + " Spark forgets its tables when the job ends; add that, or set guilomo.output.catalog"
              + " to a directory, such as s3a://lake/guilomo",
          name);
    }
  }

  private String reach() {
    try {
      if (name.isDirectory()) {
        UserPath directory = UserPath.open(name.text(), spark.sparkContext().hadoopConfiguration());
        directory.files().exists(directory.path());
        return "%s tables in %s".formatted(name.format(), name);
      }
      return "%s tables in %s%s"
          .formatted(name.format(), name, name.exists(spark) ? "" : ", which does not exist yet");
    } catch (Exception
        | LinkageError e) { // Spark throws checked exceptions that its methods do not declare.
      throw new UserException(
          "Cannot publish %s tables to %s: the catalog does not answer: %s"
              .formatted(name.format(), name, Publications.reason(e)),
          e);
    }
  }

  private String conf(String key) {
    return spark.conf().get(key, "").strip();
  }
}
