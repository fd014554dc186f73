package io.guilomo.family;

/** A layer of a golden head with 64 bits; its backward pass follows its last forward pass. */
interface DoubleLayer {

  /**
   * @param x {@code [rows][inputs]}
   */
  double[][] forward(double[][] x);

  /** The gradient by the input, given that by the output. */
  double[][] backward(double[][] dy);

  /** {@code y = W x + b}. */
  record Linear(double[][] weight, double[] bias) implements DoubleLayer {

    @Override
    public double[][] forward(double[][] x) {
      double[][] y = new double[x.length][bias.length];
      for (int t = 0; t < x.length; t++) {
        for (int o = 0; o < bias.length; o++) {
          y[t][o] = bias[o];
          for (int i = 0; i < x[t].length; i++) {
            y[t][o] += weight[o][i] * x[t][i];
          }
        }
      }
      return y;
    }

    @Override
    public double[][] backward(double[][] dy) {
      double[][] dx = new double[dy.length][weight[0].length];
      for (int t = 0; t < dy.length; t++) {
        for (int o = 0; o < bias.length; o++) {
          for (int i = 0; i < dx[t].length; i++) {
            dx[t][i] += weight[o][i] * dy[t][o];
          }
        }
      }
      return dx;
    }
  }

  /** Layer norm. */
  final class Norm implements DoubleLayer {

    private final double[] weight;
    private final double[] bias;
    private final double epsilon;
    private double[][] normed;
    private double[] inverse;

    Norm(double[] weight, double[] bias, double epsilon) {
      this.weight = weight;
      this.bias = bias;
      this.epsilon = epsilon;
    }

    @Override
    public double[][] forward(double[][] x) {
      int n = weight.length;
      normed = new double[x.length][n];
      inverse = new double[x.length];
      double[][] y = new double[x.length][n];
      for (int t = 0; t < x.length; t++) {
        double mean = 0;
        for (double value : x[t]) {
          mean += value / n;
        }
        double variance = 0;
        for (double value : x[t]) {
          variance += (value - mean) * (value - mean) / n;
        }
        inverse[t] = 1 / Math.sqrt(variance + epsilon);
        for (int i = 0; i < n; i++) {
          normed[t][i] = (x[t][i] - mean) * inverse[t];
          y[t][i] = normed[t][i] * weight[i] + bias[i];
        }
      }
      return y;
    }

    @Override
    public double[][] backward(double[][] dy) {
      int n = weight.length;
      double[][] dx = new double[dy.length][n];
      for (int t = 0; t < dy.length; t++) {
        double mean = 0;
        double along = 0;
        for (int i = 0; i < n; i++) {
          mean += dy[t][i] * weight[i] / n;
          along += dy[t][i] * weight[i] * normed[t][i] / n;
        }
        for (int i = 0; i < n; i++) {
          dx[t][i] = inverse[t] * (dy[t][i] * weight[i] - mean - normed[t][i] * along);
        }
      }
      return dx;
    }
  }

  /** An activation by Hugging Face's name. */
  final class Activated implements DoubleLayer {

    private static final double STEP = 1e-5;

    private final String name;
    private double[][] x;

    Activated(String name) {
      this.name = name;
    }

    @Override
    public double[][] forward(double[][] input) {
      x = input;
      double[][] y = new double[x.length][x[0].length];
      for (int t = 0; t < x.length; t++) {
        for (int i = 0; i < x[t].length; i++) {
          y[t][i] = value(x[t][i]);
        }
      }
      return y;
    }

    /** By central differences, whose error of 1e-10 is far below that of 32 bits. */
    @Override
    public double[][] backward(double[][] dy) {
      double[][] dx = new double[dy.length][dy[0].length];
      for (int t = 0; t < dy.length; t++) {
        for (int i = 0; i < dx[t].length; i++) {
          double slope = (value(x[t][i] + STEP) - value(x[t][i] - STEP)) / (2 * STEP);
          dx[t][i] = dy[t][i] * slope;
        }
      }
      return dx;
    }

    private double value(double at) {
      return switch (name) {
        case "gelu" -> at * normal(at);
        case "gelu_new", "gelu_pytorch_tanh" ->
            at / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (at + 0.044715 * at * at * at)));
        case "relu" -> Math.max(at, 0);
        case "silu" -> at / (1 + Math.exp(-at));
        case "tanh" -> Math.tanh(at);
        default -> throw new AssertionError("no activation " + name);
      };
    }

    /**
     * Φ(x) by its series {@code 1/2 + φ(x) (x + x³/3 + x⁵/15 + …)}, all of whose terms have one
     * sign.
     */
    private static double normal(double at) {
      double term = at;
      double sum = at;
      for (int i = 3; Math.abs(term) > 1e-18 * Math.abs(sum); i += 2) {
        term *= at * at / i;
        sum += term;
      }
      return 0.5 + sum * Math.exp(-at * at / 2) / Math.sqrt(2 * Math.PI);
    }
  }
}
