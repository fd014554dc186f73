package io.guilomo.network;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parts of a network with working arrays and a gradient of their own. Replicas read the same
 * parameters, so that two can run halves of a batch side by side.
 */
final class Replica {

  private final PassContext context;
  private final List<Part> parts;
  private final Head head;
  private final INDArray[] inputs;
  private INDArray gradient;

  /**
   * @param parts attached to the context; the last is the head
   */
  Replica(PassContext context, List<Part> parts) {
    this.context = context;
    this.parts = parts.subList(0, parts.size() - 1);
    this.head = (Head) parts.get(parts.size() - 1);
    this.inputs = new INDArray[parts.size() - 1];
  }

  PassContext context() {
    return context;
  }

  /** All parts but the head. */
  List<Part> parts() {
    return parts;
  }

  Head head() {
    return head;
  }

  /** The states before the head, {@code [T, hidden]}, of the batch that the context has begun. */
  INDArray states() {
    // What comes in is the batch.
    INDArray x = null;
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = x;
      x = parts.get(i).forward(x);
    }
    return x;
  }

  /** All parts and the head, which the gradient needs first; what they measure is read later. */
  void forward() {
    INDArray states = states();
    if (context.options().gradient() == PassOptions.Gradient.NONE) {
      head.measure(states);
    } else {
      gradient = head.backward(states);
    }
  }

  /** The parts before the head, once the context knows the balance of all replicas' routers. */
  void backward() {
    INDArray d = gradient;
    int last = parts.size() - 1;
    for (int i = last; i >= 0; i--) {
      // Nothing has run since the last.
      if (i < last && context.recomputesBlocks()) {
        parts.get(i).recompute(inputs[i]);
      }
      d = parts.get(i).backward(d);
    }
  }
}
