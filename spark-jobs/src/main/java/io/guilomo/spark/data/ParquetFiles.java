package io.guilomo.spark.data;

import io.guilomo.model.UserException;
import io.guilomo.spark.session.AsNamed;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The rows of files of Parquet, with the values of the directories that they are in. */
record ParquetFiles(SparkSession spark, DataFiles files) {

  /**
   * @throws UserException if the files are not Parquet, or two columns have one name
   */
  Dataset<Row> rows() {
    Set<Set<String>> directories = new LinkedHashSet<>();
    files.files().forEach(file -> directories.add(file.partition().keySet()));
    if (directories.size() > 1) {
      throw new UserException(
          "Cannot read %s as Parquet: its files lie in directories of different columns, such as %s;"
              + " name those of one kind",
          files.name(),
          directories.stream()
              .map(names -> names.isEmpty() ? "none" : String.join("/", names))
              .limit(2)
              .collect(Collectors.joining(" and ")));
    }
    try {
      return AsNamed.reader(spark)
          // Else Spark would leave out what lies deeper without saying so.
          .option("recursiveFileLookup", directories.equals(Set.of(Set.of())))
          .parquet(files.roots().toArray(String[]::new));
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      if (e instanceof SparkThrowable known
          && "COLUMN_ALREADY_EXISTS".equals(known.getErrorClass())) {
        throw CatalogRows.sameNames(
            files.name(), known.getMessageParameters().get("columnName"), e);
      }
      String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new UserException(
          String.format("Cannot read %s as Parquet: %s", files.name(), reason), e);
    }
  }
}
