package io.guilomo.network;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs the passes of a network: a small batch in one replica, the halves of a large one in two
 * whose gradients are added. An operation that two threads share lasts as long as the slower of
 * them; replicas wait for each other twice a pass. Which batches are split depends on them and on
 * the kernels alone, so that results do not depend on the number of threads.
 */
final class Replicas {

  /** Tokens from which on a batch is split: products of half of them still run at full speed. */
  static final int SPLIT_FROM = 384;

  private final Kernels kernels;
  private final Backbone backbone;
  private final NetworkDefinition definition;
  private final Recompute recompute;
  private final INDArray parameters;
  private final INDArray gradient;
  private final INDArray gsvGradient;
  private final List<Buffers> buffers = new ArrayList<>();
  private final List<Replica> replicas = new ArrayList<>();
  private final RoutingRecord record = new RoutingRecord();
  private INDArray secondGradient;
  private INDArray secondGsvGradient;

  /**
   * @param specs of the parts of the first replica
   * @param store GSVs first
   * @param gsvCount GSVs in it
   */
  Replicas(
      Kernels kernels,
      Backbone backbone,
      NetworkDefinition definition,
      Recompute recompute,
      List<PartSpec> specs,
      ParameterStore store,
      long gsvCount) {
    this.kernels = kernels;
    this.backbone = backbone;
    this.definition = definition;
    this.recompute = recompute;
    this.parameters = store.parameters();
    this.gradient = store.gradient();
    this.gsvGradient = ArrayViews.slice(gradient, 0, gsvCount);
    try {
      replicas.add(replica(context(), specs, gradient));
    } catch (RuntimeException e) {
      // Where a card is full.
      try {
        giveBack();
      } catch (RuntimeException broken) {
        e.addSuppressed(broken);
      }
      throw e;
    }
  }

  private PassContext context() {
    Buffers own = Buffers.borrow(kernels);
    buffers.add(own);
    return new PassContext(backbone, kernels, own, recompute);
  }

  /** The replica that runs every batch, or its first half. */
  Replica first() {
    return replicas.get(0);
  }

  /** One of the same parameters, with a gradient of its own. */
  private Replica second() {
    if (replicas.size() > 1) {
      return replicas.get(1);
    }
    PassContext context = context();
    secondGradient = context.buffers().array("replica.gradient", gradient.length());
    secondGsvGradient = ArrayViews.slice(secondGradient, 0, gsvGradient.length());
    Replica replica = replica(context, PartSpec.all(definition), secondGradient);
    replicas.add(replica);
    return replica;
  }

  /** Parts with their slices of the parameters and of a gradient. */
  private Replica replica(PassContext context, List<PartSpec> specs, INDArray ownGradient) {
    List<Part> parts = specs.stream().map(PartSpec::build).toList();
    try {
      long offset = 0;
      for (Part part : parts) {
        long size = part.parameters().size();
        part.attach(context, size == 0 ? null : ArrayViews.slice(parameters, offset, size));
        if (size > 0) {
          part.attachGradient(ArrayViews.slice(ownGradient, offset, size));
        }
        offset += size;
      }
      return new Replica(context, parts);
    } catch (RuntimeException e) {
      try {
        context.close();
      } catch (RuntimeException broken) {
        e.addSuppressed(broken);
      }
      throw e;
    }
  }

  /**
   * Sequences of a batch that the first replica runs.
   *
   * @param split as {@link Kernels#splitsBatches}
   */
  static int sequencesOfFirst(boolean split, int sequences, long tokens) {
    return split && sequences > 1 && tokens >= SPLIT_FROM ? (sequences + 1) / 2 : sequences;
  }

  PassResult pass(TokenBatch batch, PassOptions options) {
    List<Replica> used = begin(batch, options);
    kernels.runConcurrently(used.size(), i -> used.get(i).forward());
    List<Measurements> measured =
        used.stream().map(replica -> replica.context().measurements()).toList();
    measured.forEach(Measurements::read);
    boolean records = options.routing() == PassOptions.Routing.RECORD;
    double coefficient = options.balance() ? definition.loadBalance() : 0;
    BatchLoss batchLoss = new BatchLoss(batch.size(), coefficient, records ? record : null);
    float[] batchGradients = Measurements.evaluate(measured, batchLoss);
    if (options.gradient() != PassOptions.Gradient.NONE) {
      measured.forEach(replica -> replica.write(batchGradients));
      kernels.runConcurrently(used.size(), i -> used.get(i).backward());
      if (used.size() > 1) {
        addGradients(options.gradient());
      }
    }
    double taskLoss = used.stream().mapToDouble(replica -> replica.head().loss()).sum();
    return new PassResult(
        taskLoss + coefficient * batchLoss.value(),
        taskLoss,
        batchLoss.value(),
        used.stream().mapToInt(replica -> replica.head().labels()).sum(),
        measured.stream().mapToInt(Measurements::hits).sum());
  }

  private List<Replica> begin(TokenBatch batch, PassOptions options) {
    int sequences = sequencesOfFirst(kernels.splitsBatches(), batch.sequences(), batch.size());
    if (sequences == batch.sequences()) {
      first().context().begin(batch, options);
      return List.of(first());
    }
    first().context().begin(batch.sequences(0, sequences), batch, 0, options);
    second()
        .context()
        .begin(
            batch.sequences(sequences, batch.sequences()),
            batch,
            batch.starts()[sequences],
            options);
    return replicas;
  }

  private void addGradients(PassOptions.Gradient wanted) {
    if (wanted == PassOptions.Gradient.ALL) {
      kernels.addScaled(gradient, 1, secondGradient, gradient);
    } else {
      kernels.addScaled(gsvGradient, 1, secondGsvGradient, gsvGradient);
    }
  }

  RoutingRecord record() {
    return record;
  }

  /** Bytes of the working arrays. */
  long bytes() {
    return buffers.stream().mapToLong(Buffers::bytes).sum();
  }

  /** Hands the working arrays to the next network of this JVM. */
  void giveBack() {
    replicas.forEach(replica -> replica.context().close());
    // The first replica's are borrowed first.
    for (int i = buffers.size() - 1; i >= 0; i--) {
      buffers.get(i).giveBack();
    }
  }
}
