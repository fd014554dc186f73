package io.guilomo.spark.session;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class TestJavaSerialization {

  @Test
  void refusesASerializerThatCannotDoRecords() {
    SparkConf conf =
        new SparkConf(false).set("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    assertThatThrownBy(() -> JavaSerialization.require(conf))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot run on executors with spark.serializer=org.apache.spark.serializer.KryoSerializer:"
                + " remove the setting, or set it to org.apache.spark.serializer.JavaSerializer");
    JavaSerialization.require(new SparkConf(false));
  }
}
