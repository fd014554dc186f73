package io.guilomo.network;

import java.io.Serializable;
import java.util.List;

/**
 * Rotary position embedding (arXiv 2104.09864) in the half-split layout of Hugging Face, with its
 * ways of reaching contexts longer than those of pre-training.
 *
 * @param theta base of the frequencies
 * @param scaling how frequencies are lowered for long contexts; null for not at all
 */
public record Rope(double theta, Scaling scaling) implements Serializable {

  /** How frequencies are changed for long contexts, as {@code rope_type} names it. */
  public sealed interface Scaling extends Serializable
      permits Linear, Dynamic, Llama3, Yarn, LongRope {

    /** Angle per position of each pair of features of a sequence: {@code [rotated / 2]}. */
    double[] frequencies(double theta, int rotated, int length);

    /** Factor on the cosines and sines. */
    default double magnitude() {
      return 1;
    }
  }

  /** Angles of all positions are divided by {@code factor} (arXiv 2306.15595). */
  public record Linear(double factor) implements Scaling {

    @Override
    public double[] frequencies(double theta, int rotated, int length) {
      double[] frequencies = plain(theta, rotated);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] /= factor;
      }
      return frequencies;
    }
  }

  /**
   * NTK-aware scaling whose base grows with the length {@code n} of each sequence once it is above
   * the {@code m} positions of pre-training: {@code θ · (factor · n/m − factor + 1)^(d/(d−2))}.
   */
  public record Dynamic(double factor, int originalPositions) implements Scaling {

    @Override
    public double[] frequencies(double theta, int rotated, int length) {
      double reach = (double) Math.max(length, originalPositions) / originalPositions;
      double power = rotated / (rotated - 2.0);
      return plain(theta * Math.pow(factor * reach - factor + 1, power), rotated);
    }
  }

  /** LLaMA 3.1's: low frequencies are divided by {@code factor}, high ones are kept. */
  public record Llama3(
      double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalPositions)
      implements Scaling {

    @Override
    public double[] frequencies(double theta, int rotated, int length) {
      double[] frequencies = plain(theta, rotated);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] = scaled(frequencies[i]);
      }
      return frequencies;
    }

    private double scaled(double frequency) {
      double wavelength = 2 * Math.PI / frequency;
      if (wavelength < originalPositions / highFrequencyFactor) {
        return frequency;
      }
      if (wavelength > originalPositions / lowFrequencyFactor) {
        return frequency / factor;
      }
      double smooth =
          (originalPositions / wavelength - lowFrequencyFactor)
              / (highFrequencyFactor - lowFrequencyFactor);
      return (1 - smooth) * frequency / factor + smooth * frequency;
    }
  }

  /**
   * YaRN (arXiv 2309.00071): features that turn more than {@code betaFast} times within the
   * original context keep their frequency, those that turn less than {@code betaSlow} times have it
   * divided by {@code factor}, with a ramp in between.
   *
   * @param magnitude factor on the cosines and sines
   * @param truncate whether the ramp begins and ends at whole pairs of features
   */
  public record Yarn(
      double factor,
      int originalPositions,
      double betaFast,
      double betaSlow,
      double magnitude,
      boolean truncate)
      implements Scaling {

    @Override
    public double[] frequencies(double theta, int rotated, int length) {
      double low = pair(betaFast, theta, rotated);
      double high = pair(betaSlow, theta, rotated);
      if (truncate) {
        low = Math.floor(low);
        high = Math.ceil(high);
      }
      low = Math.max(low, 0);
      high = Math.min(high, rotated - 1.0);
      double width = low == high ? 0.001 : high - low;
      double[] frequencies = plain(theta, rotated);
      for (int i = 0; i < frequencies.length; i++) {
        double stretched = Math.min(1, Math.max(0, (i - low) / width));
        frequencies[i] *= stretched / factor + 1 - stretched;
      }
      return frequencies;
    }

    /** The pair of features, not whole, that turns so often within the original context. */
    private double pair(double turns, double theta, int rotated) {
      return rotated * Math.log(originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }
  }

  /**
   * LongRoPE (arXiv 2402.13753): each frequency is divided by a factor of its own, one for
   * sequences within the original context and another for longer ones.
   *
   * @param shortFactors {@code [rotated / 2]}
   * @param longFactors {@code [rotated / 2]}
   * @param magnitude factor on the cosines and sines, of short sequences too
   */
  public record LongRope(
      List<Double> shortFactors, List<Double> longFactors, int originalPositions, double magnitude)
      implements Scaling {

    public LongRope {
      shortFactors = List.copyOf(shortFactors);
      longFactors = List.copyOf(longFactors);
    }

    @Override
    public double[] frequencies(double theta, int rotated, int length) {
      List<Double> factors = length > originalPositions ? longFactors : shortFactors;
      double[] frequencies = plain(theta, rotated);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] /= factors.get(i);
      }
      return frequencies;
    }
  }

  /**
   * Angle per position of each pair of features of a sequence: {@code [rotated / 2]}.
   *
   * @param rotated features of a head that are rotated
   * @param length of the sequence; matters above {@link #sameUpTo} alone
   */
  public double[] frequencies(int rotated, int length) {
    return scaling == null ? plain(theta, rotated) : scaling.frequencies(theta, rotated, length);
  }

  /** Factor on the cosines and sines. */
  public double magnitude() {
    return scaling == null ? 1 : scaling.magnitude();
  }

  /** Length up to which all sequences have the same frequencies. */
  int sameUpTo() {
    if (scaling instanceof Dynamic dynamic) {
      return dynamic.originalPositions();
    }
    return scaling instanceof LongRope rope ? rope.originalPositions() : Integer.MAX_VALUE;
  }

  /** Whether sequences of different lengths above {@link #sameUpTo} have different frequencies. */
  boolean differsByLength() {
    return scaling instanceof Dynamic;
  }

  private static double[] plain(double theta, int rotated) {
    double[] frequencies = new double[rotated / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.pow(theta, -2.0 * i / rotated);
    }
    return frequencies;
  }
}
