package io.guilomo.kernel.vector;

import io.guilomo.kernel.KernelThreads;

/** Routing in plain 64-bit arithmetic: there are few experts. */
class VectorRouting {
  private static final int TOKENS = 128;

  private VectorRouting() {}

  /** Returns how often each expert was chosen, then the sums of their probabilities. */
  static double[] route(
      VectorMemory logits,
      VectorMemory mask,
      int topK,
      boolean replay,
      int[] choice,
      VectorMemory probabilities,
      VectorMemory weights) {
    int experts = logits.columns;
    int ranges = (logits.rows + TOKENS - 1) / TOKENS;
    double[][] sums = new double[ranges][experts];
    KernelThreads.run(
        logits.rows,
        TOKENS,
        (from, to) -> {
          double[] p = new double[experts];
          for (int t = from; t < to; t++) {
            softmax(logits, mask, t, p);
            for (int e = 0; e < experts; e++) {
              float probability = (float) p[e];
              probabilities.put(probabilities.at(t, e), probability);
              weights.put(weights.at(t, e), 0);
              sums[from / TOKENS][e] += probability;
            }
            if (!replay) {
              choose(probabilities, t, topK, choice);
            }
            double sum = chosenSum(probabilities, t, topK, choice);
            for (int slot = t * topK; slot < (t + 1) * topK; slot++) {
              int e = choice[slot];
              weights.put(
                  weights.at(t, e), (float) (probabilities.get(probabilities.at(t, e)) / sum));
            }
          }
        });
    double[] statistics = new double[2 * experts];
    for (int expert : choice) {
      statistics[expert]++;
    }
    for (double[] range : sums) {
      for (int e = 0; e < experts; e++) {
        statistics[experts + e] += range[e];
      }
    }
    return statistics;
  }

  private static void softmax(VectorMemory logits, VectorMemory mask, int token, double[] p) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int e = 0; e < p.length; e++) {
      p[e] = logits.get(logits.at(token, e)) + (mask == null ? 0 : mask.get(4 * e));
      largest = Math.max(largest, p[e]);
    }
    double sum = 0;
    for (int e = 0; e < p.length; e++) {
      p[e] = Math.exp(p[e] - largest);
      sum += p[e];
    }
    for (int e = 0; e < p.length; e++) {
      p[e] /= sum;
    }
  }

  private static void choose(VectorMemory probabilities, int token, int topK, int[] choice) {
    int first = token * topK;
    for (int slot = first; slot < first + topK; slot++) {
      int best = -1;
      float largest = 0;
      for (int e = 0; e < probabilities.columns; e++) {
        float probability = probabilities.get(probabilities.at(token, e));
        if ((best < 0 || probability > largest) && !taken(choice, first, slot, e)) {
          best = e;
          largest = probability;
        }
      }
      choice[slot] = best;
    }
  }

  private static boolean taken(int[] choice, int first, int slot, int expert) {
    for (int i = first; i < slot; i++) {
      if (choice[i] == expert) {
        return true;
      }
    }
    return false;
  }

  private static double chosenSum(VectorMemory probabilities, int token, int topK, int[] choice) {
    double sum = 0;
    for (int slot = token * topK; slot < (token + 1) * topK; slot++) {
      sum += probabilities.get(probabilities.at(token, choice[slot]));
    }
    return sum;
  }

  static void backward(
      VectorMemory dWeights,
      VectorMemory dProbabilities,
      int topK,
      int[] choice,
      VectorMemory probabilities,
      VectorMemory weights,
      VectorMemory dLogits) {
    int experts = dWeights.columns;
    KernelThreads.run(
        dWeights.rows,
        TOKENS,
        (from, to) -> {
          double[] slopes = new double[experts];
          for (int t = from; t < to; t++) {
            double average = 0;
            for (int slot = t * topK; slot < (t + 1) * topK; slot++) {
              int e = choice[slot];
              average += (double) dWeights.get(dWeights.at(t, e)) * weights.get(weights.at(t, e));
            }
            double sum = chosenSum(probabilities, t, topK, choice);
            for (int e = 0; e < experts; e++) {
              slopes[e] = dProbabilities == null ? 0 : dProbabilities.get(4 * e);
            }
            for (int slot = t * topK; slot < (t + 1) * topK; slot++) {
              int e = choice[slot];
              slopes[e] += (dWeights.get(dWeights.at(t, e)) - average) / sum;
            }
            double projection = 0;
            for (int e = 0; e < experts; e++) {
              projection += slopes[e] * probabilities.get(probabilities.at(t, e));
            }
            for (int e = 0; e < experts; e++) {
              double slope = probabilities.get(probabilities.at(t, e)) * (slopes[e] - projection);
              dLogits.put(dLogits.at(t, e), (float) slope);
            }
          }
        });
  }
}
