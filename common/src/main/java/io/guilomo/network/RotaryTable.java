package io.guilomo.network;

import io.guilomo.family.LlamaConfig;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Cosines and sines of every position, both {@code [maxPositions, headDim / 2]} (arXiv 2104.09864).
 * One table serves all blocks and replicas of a network.
 *
 * @param flat both, one behind the other
 */
record RotaryTable(INDArray flat, INDArray cosine, INDArray sine) {

  static RotaryTable of(LlamaConfig config, Kernels kernels) {
    double[] frequencies = config.rope().frequencies(config.headDim());
    int positions = config.maxPositions();
    int half = frequencies.length;
    float[] cosine = new float[Math.multiplyExact(positions, half)];
    float[] sine = new float[cosine.length];
    for (int position = 0; position < positions; position++) {
      for (int i = 0; i < half; i++) {
        cosine[position * half + i] = (float) Math.cos(position * frequencies[i]);
        sine[position * half + i] = (float) Math.sin(position * frequencies[i]);
      }
    }
    INDArray flat = kernels.allocate(DataType.FLOAT, 2L * cosine.length);
    RotaryTable table =
        new RotaryTable(
            flat,
            ArrayViews.stretch(flat, 0, positions, half),
            ArrayViews.stretch(flat, cosine.length, positions, half));
    kernels.write(cosine, table.cosine);
    kernels.write(sine, table.sine);
    return table;
  }
}
