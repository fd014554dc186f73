package io.guilomo.spark.session;

import io.guilomo.model.UserException;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.JavaSerializer;

/** The serializer of what tasks are given and return: Java's, which knows records. */
public final class JavaSerialization {

  private JavaSerialization() {}

  /**
   * Refuses others: Kryo 4, which Spark 3.5 uses, cannot deserialise Java records.
   *
   * @throws UserException with the setting
   */
  public static void require(SparkConf conf) {
    String expected = JavaSerializer.class.getName();
    String serializer = conf.get("spark.serializer", expected);
    if (!serializer.equals(expected)) {
      throw new UserException(
          "Cannot run on executors with spark.serializer=%s: remove the setting, or set it to %s",
          serializer, expected);
    }
  }
}
