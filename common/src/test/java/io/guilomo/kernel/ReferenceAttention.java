package io.guilomo.kernel;

/** Attention by its definition, in double precision. */
class ReferenceAttention {
  final double[][] result;
  final double[] probabilities;
  final double[][] dQuery;
  final double[][] dKey;
  final double[][] dValue;

  /** Of the scores by the products of query and key. */
  private final double[] slopes;

  private final AttentionShape shape;
  private final int[] starts;
  private final double[][] query;
  private final double[][] key;
  private final double[][] value;

  ReferenceAttention(
      AttentionShape shape, int[] starts, double[][] query, double[][] key, double[][] value) {
    this.shape = shape;
    this.starts = starts;
    this.query = query;
    this.key = key;
    this.value = value;
    this.result = new double[query.length][query[0].length];
    this.dQuery = new double[query.length][query[0].length];
    this.dKey = new double[key.length][key[0].length];
    this.dValue = new double[value.length][value[0].length];
    int kept = 0;
    for (int s = 0; s + 1 < starts.length; s++) {
      int n = starts[s + 1] - starts[s];
      kept += shape.heads() * n * n;
    }
    this.probabilities = new double[kept];
    this.slopes = new double[kept];
    forEachRow(this::forward);
  }

  void backward(double[][] gradient) {
    forEachRow((first, n, t, head, offset) -> backward(gradient, first, n, t, head, offset));
  }

  private interface OnRow {
    /**
     * Row {@code t} of a head, whose probabilities start at {@code offset}, of the sequence from
     * {@code first}.
     */
    void run(int first, int n, int t, int head, int offset);
  }

  private void forEachRow(OnRow row) {
    int offset = 0;
    for (int s = 0; s + 1 < starts.length; s++) {
      int n = starts[s + 1] - starts[s];
      for (int head = 0; head < shape.heads(); head++) {
        for (int t = 0; t < n; t++) {
          row.run(starts[s], n, t, head, offset);
          offset += n;
        }
      }
    }
  }

  private boolean sees(int t, int other) {
    return (!shape.causal() || other <= t)
        && (shape.window() == 0 || Math.abs(t - other) < shape.window());
  }

  private void forward(int first, int n, int t, int head, int offset) {
    int d = shape.headDim();
    int source = head / (shape.heads() / shape.keyValueHeads());
    double[] scores = new double[n];
    double largest = Double.NEGATIVE_INFINITY;
    for (int o = 0; o < n; o++) {
      slopes[offset + o] = shape.scale();
      for (int i = 0; i < d; i++) {
        scores[o] +=
            shape.scale() * query[first + t][head * d + i] * key[first + o][source * d + i];
      }
      if (shape.softcap() > 0) {
        double tanh = Math.tanh(scores[o] / shape.softcap());
        scores[o] = shape.softcap() * tanh;
        slopes[offset + o] *= 1 - tanh * tanh;
      }
      if (sees(t, o)) {
        largest = Math.max(largest, scores[o]);
      }
    }
    double sum = 0;
    for (int o = 0; o < n; o++) {
      scores[o] = sees(t, o) ? Math.exp(scores[o] - largest) : 0;
      sum += scores[o];
    }
    for (int o = 0; o < n; o++) {
      probabilities[offset + o] = scores[o] / sum;
      for (int i = 0; i < d; i++) {
        result[first + t][head * d + i] += scores[o] / sum * value[first + o][source * d + i];
      }
    }
  }

  private void backward(double[][] gradient, int first, int n, int t, int head, int offset) {
    int d = shape.headDim();
    int source = head / (shape.heads() / shape.keyValueHeads());
    double[] dp = new double[n];
    double average = 0;
    for (int o = 0; o < n; o++) {
      for (int i = 0; i < d; i++) {
        double dy = gradient[first + t][head * d + i];
        dp[o] += dy * value[first + o][source * d + i];
        dValue[first + o][source * d + i] += probabilities[offset + o] * dy;
      }
      average += dp[o] * probabilities[offset + o];
    }
    for (int o = 0; o < n; o++) {
      double slope = slopes[offset + o] * probabilities[offset + o] * (dp[o] - average);
      for (int i = 0; i < d; i++) {
        dQuery[first + t][head * d + i] += slope * key[first + o][source * d + i];
        dKey[first + o][source * d + i] += slope * query[first + t][head * d + i];
      }
    }
  }
}
