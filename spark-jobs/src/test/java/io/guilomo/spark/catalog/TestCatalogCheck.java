package io.guilomo.spark.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.OutputConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is missing before tables can be published. */
class TestCatalogCheck {

  private static final String EXTENSIONS =
      "--conf spark.sql.extensions=io.guilomo.spark.ml.GuilomoExtensions,"
          + "io.delta.sql.DeltaSparkSessionExtension";

  private static final String DELTA_CATALOG =
      "--conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog";

  @TempDir private Path directory;

  @Test
  void whatIsThereIsSaid() {
    assertThat(check(Lake.session(), "iceberg", "lake.nowhere"))
        .isEqualTo("iceberg tables in lake.nowhere, which does not exist yet");
    assertThat(check(Lake.session(), "delta", directory + "/"))
        .isEqualTo("delta tables in " + directory);
  }

  @Test
  void aMissingLibraryIsNamedWithItsPackages() throws Exception {
    ClassLoader without =
        new ClassLoader(TestCatalogCheck.class.getClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("org.apache.iceberg.") || name.startsWith("io.delta.")) {
              throw new ClassNotFoundException(name);
            }
            return super.loadClass(name, resolve);
          }
        };
    SparkSession spark = Lake.session();
    String iceberg = "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0";
    with(
        without,
        () -> {
          refused(
              spark,
              "iceberg",
              "lake.guilomo",
              "Cannot publish iceberg tables to lake.guilomo: add --packages " + iceberg);
          refused(
              spark,
              "delta",
              "/lake",
              "Cannot publish delta tables to /lake: add --packages io.delta:delta-spark_2.12:3.3.2");
          return null;
        });
  }

  /** Those that the tests are built with. */
  @Test
  void packagesHaveTheVersionsThatAreTested() throws IOException {
    String pom = Files.readString(Path.of("../pom.xml"));
    for (String name : new String[] {CatalogCheck.ICEBERG, CatalogCheck.DELTA}) {
      String[] parts = name.split(":", 3);
      assertThat(pom)
          .contains(
              "<artifactId>%s</artifactId>\n        <version>%s</version>"
                  .formatted(parts[1].replace("_2.12", "_${scala.binary.version}"), parts[2]));
    }
  }

  @Test
  void missingSettingsAreNamed() {
    SparkSession spark = SharedSparkSession.session();
    refused(
        spark,
        "iceberg",
        "lake.guilomo",
        "Cannot publish iceberg tables to lake.guilomo: add"
            + " --conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog and the catalog's"
            + " settings, such as --conf spark.sql.catalog.lake.type=rest"
            + " --conf spark.sql.catalog.lake.uri=URI");
    refused(
        spark,
        "delta",
        "spark_catalog.guilomo",
        "Cannot publish delta tables to spark_catalog.guilomo: add "
            + EXTENSIONS
            + " "
            + DELTA_CATALOG);
  }

  @Test
  void namesThatAreNoCatalogAreRefused() {
    SparkSession spark = Lake.session();
    refused(
        spark,
        "iceberg",
        "lake",
        "Cannot use guilomo.output.catalog = lake: it must name a catalog and a namespace, such as lake.guilomo");
    refused(
        spark,
        "iceberg",
        "s3a://lake/guilomo",
        "Cannot use guilomo.output.catalog = s3a://lake/guilomo: it must name a catalog and a namespace, such as lake.guilomo");
    refused(
        spark,
        "delta",
        "lake/guilomo",
        "Cannot use guilomo.output.catalog = lake/guilomo: a directory must be absolute");
  }

  @Test
  void aCatalogThatForgetsOrDoesNotAnswerIsRefused() {
    SparkSession spark = Lake.session();
    refused(
        spark,
        "delta",
        "spark_catalog.guilomo",
        "Cannot publish delta tables to spark_catalog.guilomo: without --conf"
            + " spark.sql.catalogImplementation=hive Spark forgets its tables when the job ends; add"
            + " that, or set guilomo.output.catalog to a directory, such as s3a://lake/guilomo");
    spark.conf().set("spark.sql.catalog.away", "org.apache.iceberg.spark.SparkCatalog");
    spark.conf().set("spark.sql.catalog.away.type", "rest");
    spark.conf().set("spark.sql.catalog.away.uri", "http://127.0.0.1:1");
    assertThatThrownBy(() -> check(spark, "iceberg", "away.guilomo"))
        .isInstanceOf(UserException.class)
        .hasMessageMatching(
            "Cannot publish iceberg tables to away\\.guilomo: the catalog does not answer: .*refused.*");
  }

  private void refused(SparkSession spark, String format, String catalog, String message) {
    assertThatThrownBy(() -> check(spark, format, catalog))
        .isInstanceOf(UserException.class)
        .hasMessage(message);
  }

  private String check(SparkSession spark, String format, String catalog) {
    OutputConfig output = Lake.output(directory, format, catalog);
    return new Publications(spark, output, line -> {}).check();
  }

  private static void with(ClassLoader loader, Callable<Void> body) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      body.call();
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
