package io.guilomo.network;

import java.io.Serializable;

/**
 * Rotary position embedding (arXiv 2104.09864) in the half-split layout of Hugging Face, with the
 * scaling of LLaMA 3.1.
 *
 * @param theta base of the frequencies
 * @param scaling how frequencies are lowered for long contexts; null for not at all
 */
public record Rope(double theta, Scaling scaling) implements Serializable {

  /** {@code rope_type: llama3} of a Hugging Face {@code config.json}. */
  public record Scaling(
      double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalPositions)
      implements Serializable {}

  /** Angle per position of each pair of features: {@code [headDim / 2]}. */
  public double[] frequencies(int headDim) {
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double frequency = Math.pow(theta, -2.0 * i / headDim);
      frequencies[i] = scaling == null ? frequency : scaled(frequency);
    }
    return frequencies;
  }

  private double scaled(double frequency) {
    double wavelength = 2 * Math.PI / frequency;
    double lowWavelength = scaling.originalPositions() / scaling.lowFrequencyFactor();
    double highWavelength = scaling.originalPositions() / scaling.highFrequencyFactor();
    if (wavelength < highWavelength) {
      return frequency;
    }
    if (wavelength > lowWavelength) {
      return frequency / scaling.factor();
    }
    double smooth =
        (scaling.originalPositions() / wavelength - scaling.lowFrequencyFactor())
            / (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
    return (1 - smooth) * frequency / scaling.factor() + smooth * frequency;
  }
}
