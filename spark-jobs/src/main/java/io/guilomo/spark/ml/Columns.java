package io.guilomo.spark.ml;

import io.guilomo.data.Listing;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.Param;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The columns a data set must have, and those that scoring adds. */
final class Columns {

  /** Columns that a message names. */
  static final int NAMED = 20;

  private Columns() {}

  /** The value of a parameter; empty if it is not set or blank. */
  static Optional<String> given(ScoringParams<?> params, Param<String> param) {
    return params.isDefined(param)
        ? Optional.of(params.getOrDefault(param)).filter(value -> !value.isBlank())
        : Optional.empty();
  }

  /**
   * @throws UserException if a column of a text is missing or no text
   */
  static void requireTexts(ScoringParams<?> params, StructType schema) {
    requireText(params.getOrDefault(params.textCol()), schema);
    given(params, params.secondTextCol()).ifPresent(name -> requireText(name, schema));
  }

  private static void requireText(String name, StructType schema) {
    DataType type = field(name, schema).dataType();
    if (!type.equals(DataTypes.StringType)) {
      throw new UserException(
          "Cannot read texts from column %s, which is %s: expected a string", name, type.sql());
    }
  }

  /**
   * @throws UserException if there is no column of numbers
   */
  static StructField requireClasses(TrainingParams<?> params, StructType schema) {
    StructField field = field(params.getOrDefault(params.labelCol()), schema);
    if (!(field.dataType() instanceof NumericType)) {
      throw new UserException(
          "Cannot learn the classes in column %s, which is %s: expected numbers from 0, as"
              + " StringIndexer makes them of texts",
          field.name(), field.dataType().sql());
    }
    return field;
  }

  private static StructField field(String name, StructType schema) {
    List<String> names = List.of(schema.fieldNames());
    int index = names.indexOf(name);
    if (index < 0) {
      throw new UserException(
          "Cannot read column %s: the columns are %s", name, Listing.of(names, NAMED));
    }
    return schema.fields()[index];
  }

  /**
   * The schema with the columns of predictions.
   *
   * @param labels of the classes; empty if they are not known yet
   * @throws UserException if the data already has a column of that name
   */
  static StructType predicted(PredictionParams<?> params, StructType schema, List<String> labels) {
    StructType all = schema;
    Optional<String> prediction = given(params, params.predictionCol());
    if (prediction.isPresent()) {
      String name = prediction.get();
      Metadata classes =
          labels.isEmpty()
              ? Metadata.empty()
              : NominalAttribute.defaultAttr()
                  .withName(name)
                  .withValues(labels.toArray(String[]::new))
                  .toMetadata();
      all =
          append(all, new StructField(name, DataTypes.DoubleType, true, classes), "predictionCol");
    }
    Optional<String> probability = given(params, params.probabilityCol());
    if (probability.isPresent()) {
      all =
          append(
              all,
              new StructField(probability.get(), SQLDataTypes.VectorType(), true, Metadata.empty()),
              "probabilityCol");
    }
    return all;
  }

  private static StructType append(StructType schema, StructField field, String param) {
    if (Arrays.stream(schema.fieldNames()).anyMatch(field.name()::equalsIgnoreCase)) {
      throw new UserException(
          "Cannot add column %s: the data already has a column of that name; set %s to another name",
          field.name(), param);
    }
    return schema.add(field);
  }

  /** The names of a column's classes, as StringIndexer leaves them in its metadata. */
  static Optional<List<String>> classes(StructField field) {
    return Attribute.fromStructField(field) instanceof NominalAttribute nominal
            && nominal.values().isDefined()
        ? Optional.of(List.of(nominal.values().get()))
        : Optional.empty();
  }
}
