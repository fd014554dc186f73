package io.guilomo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine runs without Spark: its classes are not even there. */
class TestClassPath {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "org/apache/spark/SparkContext.class",
        "org/apache/spark/sql/SparkSession.class",
        "org/deeplearning4j/nn/graph/ComputationGraph.class",
        "org/deeplearning4j/spark/impl/graph/SparkComputationGraph.class",
        "scala/Option.class"
      })
  void hasNoSparkNoDl4jAndNoScala(String name) {
    assertThat(getClass().getClassLoader().getResource(name)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "org/nd4j/linalg/api/ndarray/INDArray.class",
        "org/bytedeco/openblas/global/openblas.class",
        "com/typesafe/config/Config.class"
      })
  void hasWhatItNeeds(String name) {
    assertThat(getClass().getClassLoader().getResource(name)).isNotNull();
  }
}
