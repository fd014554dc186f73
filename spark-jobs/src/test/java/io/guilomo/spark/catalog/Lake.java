package io.guilomo.spark.catalog;

import io.delta.sql.DeltaSparkSessionExtension;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.OutputConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.session.AsNamed;
import io.guilomo.spark.session.InterpretedSession;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.iceberg.spark.SparkCatalog;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;

/** A session with a catalog of Iceberg and with Delta, beside the one that other tests share. */
public final class Lake {

  private static final Path DIRECTORY;
  private static final SparkSession SESSION;
  private static volatile String dead = "";

  static {
    try {
      DIRECTORY = Files.createTempDirectory("lake");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    SparkSession shared = SharedSparkSession.session();
    SparkSession.clearActiveSession();
    SparkSession.clearDefaultSession();
    try {
      SESSION =
          SparkSession.builder()
              .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
              .config(
                  "spark.sql.catalog.spark_catalog",
                  "org.apache.spark.sql.delta.catalog.DeltaCatalog")
              .config("spark.sql.catalog.lake", DyingCatalog.class.getName())
              .config("spark.sql.catalog.lake.type", "hadoop")
              .config("spark.sql.catalog.lake.warehouse", DIRECTORY.resolve("iceberg").toString())
              .config("spark.databricks.delta.snapshotPartitions", "2")
              .withExtensions(new DeltaSparkSessionExtension())
              .getOrCreate();
    } finally {
      SparkSession.setActiveSession(shared);
      SparkSession.setDefaultSession(shared);
    }
  }

  /** A catalog that does not answer for a table, when told so. */
  public static final class DyingCatalog extends SparkCatalog {

    @Override
    public org.apache.spark.sql.connector.catalog.Table loadTable(Identifier table)
        throws org.apache.spark.sql.catalyst.analysis.NoSuchTableException {
      if (table.name().equals(dead)) {
        throw new IllegalStateException(
            "Failed to load", new ConnectException("Connection refused"));
      }
      return super.loadTable(table);
    }
  }

  private Lake() {}

  /** A new session, which has cached nothing. */
  public static SparkSession session() {
    return InterpretedSession.beside(SESSION);
  }

  /** Has the catalog of Iceberg die at a table, or live again where it is empty. */
  public static void dieAt(String table) {
    dead = table;
  }

  /** {@code output.catalog} for a format and a name of one test. */
  public static String catalog(String format, String name) {
    return format.equals("delta") ? DIRECTORY.resolve("delta/" + name).toString() : "lake." + name;
  }

  /** The section {@code output} of such a configuration. */
  public static OutputConfig output(Path directory, String format, String catalog) {
    return GuilomoConfig.load(
            null,
            List.of(
                "output.dir=" + directory, "output.tables=" + format, "output.catalog=" + catalog))
        .output();
  }

  /** A table as others see it. */
  public static Dataset<Row> read(OutputConfig output, Table<?> table) {
    SparkSession spark = session();
    return spark.table(CatalogName.of(spark, output).table(table));
  }

  /** The rows of a table in the catalog, in the order of their texts; none if it is not there. */
  public static List<String> published(OutputConfig output, Table<?> table) {
    SparkSession spark = session();
    CatalogName name = CatalogName.of(spark, output);
    try {
      return name.exists(spark, table) ? sorted(spark.table(name.table(table)), table) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The rows that it should have: those of the Parquet table. */
  public static List<String> expected(OutputConfig output, Table<?> table) {
    return sorted(new TableReader(session(), output.dir()).read(table), table);
  }

  private static List<String> sorted(Dataset<Row> rows, Table<?> table) {
    Column[] columns =
        Arrays.stream(table.schema().fieldNames())
            .map(name -> rows.col(AsNamed.quoted(name)))
            .toArray(Column[]::new);
    return rows.select(columns).collectAsList().stream().map(Row::toString).sorted().toList();
  }
}
