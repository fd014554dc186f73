package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;

import io.guilomo.kernel.Activation;
import jdk.incubator.vector.FloatVector;

/** Any activation, alone or of a gate, a row at a time. */
final class VectorGates {

  private VectorGates() {}

  static void activate(Activation activation, VectorMemory x, VectorMemory y) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          ActivationRow activated = ActivationRow.ofThread(activation, x.columns);
          for (int row = from; row < to; row++) {
            activated.evaluate(x, row);
            int c = 0;
            for (; c < y.bound(); c += LANES) {
              y.store(y.at(row, c), activated.valueVector(c));
            }
            for (; c < y.columns; c++) {
              y.put(y.at(row, c), activated.value(c));
            }
          }
        });
  }

  static void activateBackward(
      Activation activation, VectorMemory dy, VectorMemory x, VectorMemory dx) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          ActivationRow activated = ActivationRow.ofThread(activation, x.columns);
          for (int row = from; row < to; row++) {
            activated.evaluate(x, row);
            activated.differentiate();
            int c = 0;
            for (; c < dx.bound(); c += LANES) {
              dx.store(dx.at(row, c), activated.slopeVector(c).mul(dy.load(dy.at(row, c))));
            }
            for (; c < dx.columns; c++) {
              dx.put(dx.at(row, c), activated.slope(c) * dy.get(dy.at(row, c)));
            }
          }
        });
  }

  static void gated(Activation activation, VectorMemory gateUp, VectorMemory y) {
    int n = y.columns;
    VectorRows.forRows(
        y,
        (from, to) -> {
          ActivationRow gate = ActivationRow.ofThread(activation, n);
          for (int row = from; row < to; row++) {
            gate.evaluate(gateUp, row);
            int c = 0;
            for (; c < y.bound(); c += LANES) {
              y.store(y.at(row, c), gate.valueVector(c).mul(gateUp.load(gateUp.at(row, n + c))));
            }
            for (; c < n; c++) {
              y.put(y.at(row, c), gate.value(c) * gateUp.get(gateUp.at(row, n + c)));
            }
          }
        });
  }

  static void gatedBackward(
      Activation activation, VectorMemory dy, VectorMemory gateUp, VectorMemory dGateUp) {
    VectorRows.forRows(
        dy,
        (from, to) -> {
          ActivationRow gate = ActivationRow.ofThread(activation, dy.columns);
          for (int row = from; row < to; row++) {
            gate.evaluate(gateUp, row);
            gate.differentiate();
            gatedBackward(gate, dy, gateUp, row, dGateUp);
          }
        });
  }

  private static void gatedBackward(
      ActivationRow gate, VectorMemory dy, VectorMemory gateUp, int row, VectorMemory dGateUp) {
    int n = dy.columns;
    int c = 0;
    for (; c < dy.bound(); c += LANES) {
      FloatVector gradient = dy.load(dy.at(row, c));
      FloatVector up = gateUp.load(gateUp.at(row, n + c));
      dGateUp.store(dGateUp.at(row, c), gate.slopeVector(c).mul(up).mul(gradient));
      dGateUp.store(dGateUp.at(row, n + c), gate.valueVector(c).mul(gradient));
    }
    for (; c < n; c++) {
      float gradient = dy.get(dy.at(row, c));
      float up = gateUp.get(gateUp.at(row, n + c));
      dGateUp.put(dGateUp.at(row, c), gate.slope(c) * up * gradient);
      dGateUp.put(dGateUp.at(row, n + c), gate.value(c) * gradient);
    }
  }
}
