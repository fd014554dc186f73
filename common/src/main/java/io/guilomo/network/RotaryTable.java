package io.guilomo.network;

import io.guilomo.backbone.LlamaConfig;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Cosines and sines of every position, both {@code [maxPositions, headDim / 2]} (arXiv 2104.09864).
 * One table serves all blocks of a backbone.
 */
record RotaryTable(INDArray cosine, INDArray sine) {

  static RotaryTable of(LlamaConfig config) {
    double[] frequencies = config.rope().frequencies(config.headDim());
    float[][] cosine = new float[config.maxPositions()][frequencies.length];
    float[][] sine = new float[config.maxPositions()][frequencies.length];
    for (int position = 0; position < config.maxPositions(); position++) {
      for (int i = 0; i < frequencies.length; i++) {
        cosine[position][i] = (float) Math.cos(position * frequencies[i]);
        sine[position][i] = (float) Math.sin(position * frequencies[i]);
      }
    }
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      return new RotaryTable(Nd4j.createFromArray(cosine), Nd4j.createFromArray(sine));
    }
  }
}
