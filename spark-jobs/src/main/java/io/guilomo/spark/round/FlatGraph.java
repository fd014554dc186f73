package io.guilomo.spark.round;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;

/**
 * The graph that dl4j-spark averages: one layer whose weights are the flat vector of a network, and
 * whose updater keeps two moments of each. It is never run; the workers' steps are those of a
 * {@link LocalTraining}.
 */
final class FlatGraph {

  private FlatGraph() {}

  /**
   * @param parameters of the network
   */
  static ComputationGraphConfiguration configuration(long parameters) {
    return new NeuralNetConfiguration.Builder()
        .dataType(DataType.FLOAT)
        .updater(new Adam())
        .trainingWorkspaceMode(WorkspaceMode.NONE)
        .inferenceWorkspaceMode(WorkspaceMode.NONE)
        .graphBuilder()
        .addInputs("nothing")
        .addLayer(
            "parameters",
            new DenseLayer.Builder()
                .nIn(parameters)
                .nOut(1)
                .hasBias(false)
                .weightInit(WeightInit.ZERO)
                .build(),
            "nothing")
        .setOutputs("parameters")
        .build();
  }
}
