package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArrays.array;
import static io.guilomo.kernel.KernelArrays.copy;
import static io.guilomo.kernel.KernelArrays.filled;
import static io.guilomo.kernel.KernelArrays.zeros;
import static io.guilomo.kernel.Sample.assertClose;
import static io.guilomo.kernel.Sample.matrix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Sample.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestAttention {
  private static final double FORWARD = 2e-6;
  private static final double BACKWARD = 5e-6;
  private static final int[][] STARTS = {{0, 1}, {0, 3, 4}, {0, 17, 18, 51, 60}, {0, 130, 147}};
  private static final AttentionShape[] SHAPES = {
    new AttentionShape(1, 1, 5, 0.4f, false, 0),
    new AttentionShape(4, 2, 16, 0.25f, true, 0),
    new AttentionShape(6, 2, 8, 0.3f, true, 5),
    new AttentionShape(3, 3, 32, 0.17f, false, 0),
    new AttentionShape(4, 1, 12, 0.3f, true, 1),
    new AttentionShape(2, 1, 16, 0.25f, true, 0, 2),
    new AttentionShape(2, 2, 24, 0.5f, true, 7, 0.8f),
    new AttentionShape(4, 2, 8, 0.3f, false, 1),
    new AttentionShape(2, 2, 16, 0.25f, false, 4),
    new AttentionShape(2, 1, 7, 0.4f, false, 70, 1.5f),
    new AttentionShape(2, 1, 132, 0.09f, true, 40, 2),
    new AttentionShape(2, 1, 12, 0.3f, true, Integer.MAX_VALUE),
    new AttentionShape(2, 1, 12, 0.3f, false, Integer.MAX_VALUE, 3),
  };
  private static final Kernels HOST = KernelSelection.named("portable");
  private final Random random = new Random(4);

  @Test
  void theReferenceGradientsAreThoseOfFiniteDifferences() {
    assertReferenceGradients(new AttentionShape(4, 2, 3, 0.6f, true, 3));
    assertReferenceGradients(new AttentionShape(4, 2, 3, 0.6f, false, 2));
    assertReferenceGradients(new AttentionShape(4, 2, 3, 0.6f, true, 0, 0.7f));
  }

  private void assertReferenceGradients(AttentionShape shape) {
    int[] starts = {0, 1, 6};
    double[][] q = matrix(HOST, random, 6, 12, Layout.CONTIGUOUS).values();
    double[][] k = matrix(HOST, random, 6, 6, Layout.CONTIGUOUS).values();
    double[][] v = matrix(HOST, random, 6, 6, Layout.CONTIGUOUS).values();
    double[][] gradient = matrix(HOST, random, 6, 12, Layout.CONTIGUOUS).values();
    ReferenceAttention exact = new ReferenceAttention(shape, starts, q, k, v);
    exact.backward(gradient);
    assertSlopes(exact.dQuery, q, shape, starts, q, k, v, gradient);
    assertSlopes(exact.dKey, k, shape, starts, q, k, v, gradient);
    assertSlopes(exact.dValue, v, shape, starts, q, k, v, gradient);
  }

  private static void assertSlopes(
      double[][] expected,
      double[][] moved,
      AttentionShape shape,
      int[] starts,
      double[][] q,
      double[][] k,
      double[][] v,
      double[][] gradient) {
    for (int r = 0; r < moved.length; r++) {
      for (int c = 0; c < moved[r].length; c++) {
        double kept = moved[r][c];
        moved[r][c] = kept + 1e-5;
        double plus = dot(gradient, new ReferenceAttention(shape, starts, q, k, v).result);
        moved[r][c] = kept - 1e-5;
        double minus = dot(gradient, new ReferenceAttention(shape, starts, q, k, v).result);
        moved[r][c] = kept;
        assertThat(expected[r][c]).isCloseTo((plus - minus) / 2e-5, within(1e-8));
      }
    }
  }

  private static double dot(double[][] a, double[][] b) {
    double sum = 0;
    for (int r = 0; r < a.length; r++) {
      for (int c = 0; c < a[r].length; c++) {
        sum += a[r][c] * b[r][c];
      }
    }
    return sum;
  }

  @OnEveryKernels
  void attends(Kernels kernels) {
    for (AttentionShape shape : SHAPES) {
      for (int[] starts : STARTS) {
        for (Layout layout : Layout.values()) {
          attends(kernels, shape, starts, layout);
        }
      }
    }
  }

  /** Sequences whose probabilities are computed again, before and after one whose are kept. */
  @OnEveryKernels
  void attendsInLongSequences(Kernels kernels) {
    int length = AttentionKernels.LONGEST_KEPT + 3;
    int[] starts = {0, length, length + 9, 2 * length + 9};
    for (AttentionShape shape :
        List.of(
            new AttentionShape(2, 1, 8, 0.4f, true, 0),
            new AttentionShape(1, 1, 8, 0.4f, false, 0),
            new AttentionShape(2, 1, 8, 0.4f, true, 40, 2))) {
      if (kernels.memory().equals(Kernels.HOST)) {
        assertThat(kernels.attentionState(shape, starts)).isEqualTo(shape.heads() * 9 * 9);
      }
      attends(kernels, shape, starts, Layout.CONTIGUOUS);
    }
  }

  private void attends(Kernels kernels, AttentionShape shape, int[] starts, Layout layout) {
    int tokens = starts[starts.length - 1];
    int queryColumns = shape.heads() * shape.headDim();
    int keyColumns = shape.keyValueHeads() * shape.headDim();
    Sample q = matrix(kernels, random, tokens, queryColumns, layout);
    Sample k = matrix(kernels, random, tokens, keyColumns, layout);
    Sample v = matrix(kernels, random, tokens, keyColumns, layout);
    Sample result = matrix(kernels, random, tokens, queryColumns, layout);
    ReferenceAttention exact =
        new ReferenceAttention(shape, starts, q.values(), k.values(), v.values());
    int kept = (int) kernels.attentionState(shape, starts);
    INDArray state = filled(kernels, 9, kept + 3);
    kernels.attention(shape, starts, q.array(), k.array(), v.array(), state, result.array());
    result.isClose(exact.result, FORWARD);
    double[] all = Sample.vectorOf(kernels, state);
    if (kernels.memory().equals(Kernels.HOST) && kept == exact.probabilities.length) {
      assertProbabilities(all, exact);
    }
    assertThat(all[kept]).isEqualTo(9);

    Sample gradient = matrix(kernels, random, tokens, queryColumns, layout);
    Sample dq = matrix(kernels, random, tokens, queryColumns, layout);
    Sample dk = matrix(kernels, random, tokens, keyColumns, layout);
    Sample dv = matrix(kernels, random, tokens, keyColumns, layout);
    kernels.attentionBackward(
        shape,
        starts,
        gradient.array(),
        q.array(),
        k.array(),
        v.array(),
        result.array(),
        state,
        dq.array(),
        dk.array(),
        dv.array());
    exact.backward(gradient.values());
    // Where every position sees itself alone the first two gradients are zero: compare at the size
    // of their terms.
    double floor = kernels.memory().equals(Kernels.HOST) ? 0.1 : 2;
    dq.isClose(exact.dQuery, BACKWARD, floor);
    dk.isClose(exact.dKey, BACKWARD, floor);
    dv.isClose(exact.dValue, BACKWARD);
    q.isUnchanged();
    k.isUnchanged();
    v.isUnchanged();
    gradient.isUnchanged();
  }

  /** The processor keeps all probabilities, 0 where a position may not look. */
  private static void assertProbabilities(double[] state, ReferenceAttention exact) {
    for (int i = 0; i < exact.probabilities.length; i++) {
      double tolerance = exact.probabilities[i] == 0 ? 0 : FORWARD;
      if (!(Math.abs(state[i] - exact.probabilities[i]) <= tolerance)) {
        assertThat(state[i]).as("probability %d", i).isEqualTo(exact.probabilities[i]);
      }
    }
  }

  @OnEveryKernels
  void attendsToKeptKeysAndValues(Kernels kernels) {
    for (AttentionShape shape : SHAPES) {
      for (int[] starts : STARTS) {
        for (Layout layout : Layout.values()) {
          if (shape.causal()) {
            attendsToKept(kernels, shape, starts, 1, layout);
            attendsToKept(kernels, shape, starts, 70, layout);
            attendsToKept(kernels, shape, starts, 200, layout);
          }
        }
      }
    }
  }

  /** The last {@code added} tokens of every sequence, or as many as it has. */
  private void attendsToKept(
      Kernels kernels, AttentionShape shape, int[] starts, int added, Layout layout) {
    int sequences = starts.length - 1;
    int tokens = starts[sequences];
    int queryColumns = shape.heads() * shape.headDim();
    int keyColumns = shape.keyValueHeads() * shape.headDim();
    // Room before, between and behind the sequences, whose order in memory is another one.
    Sample keys = matrix(kernels, random, 2 * tokens + 3, keyColumns, layout);
    Sample values = matrix(kernels, random, 2 * tokens + 3, keyColumns, layout);
    double[][] query = matrix(kernels, random, tokens, queryColumns, Layout.CONTIGUOUS).values();
    int[] newStarts = new int[sequences + 1];
    int[] firstKeys = new int[sequences];
    int[] lengths = new int[sequences];
    double[][] key = new double[tokens][];
    double[][] value = new double[tokens][];
    List<Integer> rows = new ArrayList<>();
    for (int s = 0; s < sequences; s++) {
      lengths[s] = starts[s + 1] - starts[s];
      firstKeys[s] = 2 * (tokens - starts[s + 1]) + 1;
      for (int t = 0; t < lengths[s]; t++) {
        key[starts[s] + t] = keys.values()[firstKeys[s] + t];
        value[starts[s] + t] = values.values()[firstKeys[s] + t];
      }
      for (int t = Math.max(starts[s], starts[s + 1] - added); t < starts[s + 1]; t++) {
        rows.add(t);
      }
      newStarts[s + 1] = rows.size();
    }
    ReferenceAttention exact = new ReferenceAttention(shape, starts, query, key, value);
    double[][] newQuery = rows.stream().map(row -> query[row]).toArray(double[][]::new);
    Sample result = matrix(kernels, random, rows.size(), queryColumns, layout);
    kernels.cachedAttention(
        shape,
        newStarts,
        firstKeys,
        lengths,
        array(kernels, floats(newQuery)),
        keys.array(),
        values.array(),
        result.array());
    result.isClose(rows.stream().map(row -> exact.result[row]).toArray(double[][]::new), FORWARD);
    keys.isUnchanged();
    values.isUnchanged();
  }

  private static float[][] floats(double[][] values) {
    float[][] floats = new float[values.length][values[0].length];
    for (int r = 0; r < values.length; r++) {
      for (int c = 0; c < values[r].length; c++) {
        floats[r][c] = (float) values[r][c];
      }
    }
    return floats;
  }

  @OnEveryKernels
  void largeScoresDoNotOverflow(Kernels kernels) {
    AttentionShape shape = new AttentionShape(1, 1, 16, 1, false, 0);
    Sample q = matrix(kernels, random, 20, 16, Layout.CONTIGUOUS, 30);
    Sample v = matrix(kernels, random, 20, 16, Layout.CONTIGUOUS);
    INDArray state = zeros(kernels, kernels.attentionState(shape, new int[] {0, 20}));
    INDArray result = zeros(kernels, 20, 16);
    kernels.attention(
        shape, new int[] {0, 20}, q.array(), copy(kernels, q.array()), v.array(), state, result);
    ReferenceAttention exact =
        new ReferenceAttention(shape, new int[] {0, 20}, q.values(), q.values(), v.values());
    // Scores of about 14,000 are themselves only known to 1e-3.
    assertClose(Sample.matrixOf(kernels, result), exact.result, 1e-3);
  }

  /** A hundred times the cap: all scores come out at it, of either sign. */
  @OnEveryKernels
  void capsLargeScores(Kernels kernels) {
    for (boolean causal : new boolean[] {false, true}) {
      AttentionShape shape = new AttentionShape(2, 1, 16, 1, causal, 0, 50);
      int[] starts = {0, 20, 90};
      Sample q = matrix(kernels, random, 90, 32, Layout.CONTIGUOUS, 35);
      Sample k = matrix(kernels, random, 90, 16, Layout.CONTIGUOUS, 35);
      Sample v = matrix(kernels, random, 90, 16, Layout.CONTIGUOUS);
      INDArray state = zeros(kernels, kernels.attentionState(shape, starts));
      INDArray result = zeros(kernels, 90, 32);
      kernels.attention(shape, starts, q.array(), k.array(), v.array(), state, result);
      ReferenceAttention exact =
          new ReferenceAttention(shape, starts, q.values(), k.values(), v.values());
      // Scores of about 5,000 that cross 0 are known to 1e-3, and their slopes by the product are
      // 1.
      assertClose(Sample.matrixOf(kernels, result), exact.result, 2e-3);
      Sample gradient = matrix(kernels, random, 90, 32, Layout.CONTIGUOUS);
      INDArray dq = zeros(kernels, 90, 32);
      INDArray dk = zeros(kernels, 90, 16);
      INDArray dv = zeros(kernels, 90, 16);
      kernels.attentionBackward(
          shape,
          starts,
          gradient.array(),
          q.array(),
          k.array(),
          v.array(),
          result,
          state,
          dq,
          dk,
          dv);
      exact.backward(gradient.values());
      assertClose(Sample.matrixOf(kernels, dq), exact.dQuery, 2e-3);
      assertClose(Sample.matrixOf(kernels, dk), exact.dKey, 2e-3);
      assertClose(Sample.matrixOf(kernels, dv), exact.dValue, 2e-3);
    }
  }

  @OnEveryKernels
  void rotatesTheFirstFeaturesOfHeadsByAFactorToo(Kernels kernels) {
    for (int half : new int[] {1, 3, 6, 16, 19}) {
      float[][] cosine = new float[30][half];
      float[][] sine = new float[30][half];
      for (int p = 0; p < 30; p++) {
        for (int i = 0; i < half; i++) {
          double angle = p * Math.pow(10000, -(double) i / half);
          cosine[p][i] = (float) (1.19 * Math.cos(angle));
          sine[p][i] = (float) (1.19 * Math.sin(angle));
        }
      }
      for (Layout layout : Layout.values()) {
        int headDim = 2 * half + 5;
        Sample x = matrix(kernels, random, 33, 3 * headDim, layout);
        Sample y = matrix(kernels, random, 33, 3 * headDim, layout);
        int[] positions = random.ints(33, 0, 30).toArray();
        double[][] forward = rotated(x.values(), positions, 3, cosine, sine);
        float[][] opposite = new float[30][half];
        for (int p = 0; p < 30; p++) {
          for (int i = 0; i < half; i++) {
            opposite[p][i] = -sine[p][i];
          }
        }
        double[][] backward = rotated(y.values(), positions, 3, cosine, opposite);
        // The transposed matrix: y · rotate(x) = transposed(y) · x.
        assertThat(dot(y.values(), forward)).isCloseTo(dot(backward, x.values()), within(1e-9));
        INDArray cosines = array(kernels, cosine);
        INDArray sines = array(kernels, sine);
        kernels.rotate(x.array(), positions, 3, cosines, sines, false);
        x.isClose(forward, FORWARD);
        kernels.rotate(y.array(), positions, 3, cosines, sines, true);
        y.isClose(backward, FORWARD);
      }
    }
  }

  @OnEveryKernels
  void rotatesHalfSplitPairsByPosition(Kernels kernels) {
    for (int half : new int[] {2, 3, 16, 20}) {
      float[][] cosine = new float[140][half];
      float[][] sine = new float[140][half];
      for (int p = 0; p < 140; p++) {
        for (int i = 0; i < half; i++) {
          double angle = p * Math.pow(10000, -(double) i / half);
          cosine[p][i] = (float) Math.cos(angle);
          sine[p][i] = (float) Math.sin(angle);
        }
      }
      INDArray cosines = array(kernels, cosine);
      INDArray sines = array(kernels, sine);
      for (int[] starts : STARTS) {
        for (Layout layout : Layout.values()) {
          int tokens = starts[starts.length - 1];
          Sample x = matrix(kernels, random, tokens, 3 * 2 * half, layout);
          int[] positions = random.ints(tokens, 0, 140).toArray();
          double[][] expected = rotated(x.values(), positions, 3, cosine, sine);
          kernels.rotate(x.array(), positions, 3, cosines, sines, false);
          x.isClose(expected, FORWARD);
          kernels.rotate(x.array(), positions, 3, cosines, sines, true);
          x.isClose(x.values(), FORWARD);
        }
      }
    }
  }

  private static double[][] rotated(
      double[][] x, int[] positions, int heads, float[][] cosine, float[][] sine) {
    int half = cosine[0].length;
    int headDim = x[0].length / heads;
    double[][] result = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      result[t] = x[t].clone();
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < half; i++) {
          double cos = cosine[positions[t]][i];
          double sin = sine[positions[t]][i];
          int first = h * headDim + i;
          result[t][first] = x[t][first] * cos - x[t][first + half] * sin;
          result[t][first + half] = x[t][first] * sin + x[t][first + half] * cos;
        }
      }
    }
    return result;
  }
}
