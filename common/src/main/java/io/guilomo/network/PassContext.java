package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.family.Backbone;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the parts of one network share: their kernels and working arrays, and the pass that is under
 * way.
 */
final class PassContext {

  private final Backbone backbone;
  private final RotaryTable rotary;
  private final Kernels kernels;
  private final boolean exactWeights;
  private final Buffers buffers;
  private final Measurements measurements;
  private final Map<LinearModule, ExpertChoice> choices = new HashMap<>();
  private final Map<LinearModule, ExpertChoice> recordedChoices = new HashMap<>();
  private Selection selection;
  private TokenBatch batch;
  private TokenBatch whole;
  private PassShape shape;
  private int firstToken;
  private int[] positions;
  private KeyValueCache openCache;
  private KeyValueCache cache;
  private PassOptions options = PassOptions.evaluation();

  /**
   * @param rotary null for encoders
   */
  PassContext(Backbone backbone, RotaryTable rotary, Kernels kernels, Buffers buffers) {
    this.backbone = backbone;
    this.rotary = rotary;
    this.kernels = kernels;
    this.exactWeights = backbone.wordEmbeddings().dataType() == DataType.FLOAT;
    this.buffers = buffers;
    this.measurements = new Measurements(kernels);
  }

  Backbone backbone() {
    return backbone;
  }

  /** Null for encoders, whose positions are embedded. */
  RotaryTable rotary() {
    return rotary;
  }

  Kernels kernels() {
    return kernels;
  }

  Buffers buffers() {
    return buffers;
  }

  Measurements measurements() {
    return measurements;
  }

  /**
   * A part's matrix of the forward pass, which stays as it is until the backward pass. Where none
   * follows, one array serves the parts of all layers: only a layer's output outlives it, and the
   * next layer has read it when it writes its own.
   *
   * @param owner name of the part; unique in the network
   */
  INDArray saved(String owner, String kind, long rows, long columns) {
    return buffers.array(savedName(owner, kind), rows, columns);
  }

  /** As {@link #saved(String, String, long, long)}, of a vector. */
  INDArray saved(String owner, String kind, long length) {
    return buffers.array(savedName(owner, kind), length);
  }

  /** A declared array, as large as the batch needs it. */
  INDArray array(WorkingArray array) {
    return array(array, array.extent().rows(shape));
  }

  /** As {@link #array(WorkingArray)}, of so many rows; a vector's elements if it is fixed. */
  INDArray array(WorkingArray array, long rows) {
    boolean last = options.gradient() == PassOptions.Gradient.NONE;
    String name = last ? array.forwardName() : array.name();
    if (array.extent() == Extent.FIXED) {
      return buffers.array(name, array.columns());
    }
    return array.columns() == WorkingArray.VECTOR
        ? buffers.array(name, rows)
        : buffers.array(name, rows, array.columns());
  }

  private String savedName(String owner, String kind) {
    boolean last = options.gradient() == PassOptions.Gradient.NONE;
    return (last ? "forward" : owner) + "." + kind;
  }

  TokenBatch batch() {
    return batch;
  }

  /** The batch that {@link #batch()} is a part of, or all of. */
  TokenBatch whole() {
    return whole;
  }

  /** Where {@link #batch()} begins in {@link #whole()}. */
  int firstToken() {
    return firstToken;
  }

  /** Of the tokens in their sequences, {@code [T]}. */
  int[] positions() {
    return positions;
  }

  PassOptions options() {
    return options;
  }

  /** Null in the fine-tuning stage. */
  Selection selection() {
    return selection;
  }

  void selection(Selection part) {
    this.selection = part;
  }

  /** Begins a pass over a whole batch. */
  void begin(TokenBatch nextBatch, PassOptions nextOptions) {
    begin(nextBatch, nextBatch, 0, nextOptions);
  }

  /**
   * Begins a pass over a part of a batch.
   *
   * @param all the whole batch, whose mean the loss is
   * @param first number of the part's first token in it
   */
  void begin(TokenBatch nextBatch, TokenBatch all, int first, PassOptions nextOptions) {
    this.batch = nextBatch;
    // Heads and attention say themselves how many rows they have.
    this.shape = new PassShape(nextBatch.size(), nextBatch.sequences(), 0, 0);
    this.whole = all;
    this.firstToken = first;
    this.positions = nextBatch.positions();
    this.cache = null;
    this.options = nextOptions;
    kernels.accuracy(
        exactWeights || nextOptions.gradient() == PassOptions.Gradient.GSVS
            ? Kernels.Accuracy.EXACT
            : Kernels.Accuracy.ROUNDED);
    measurements.begin();
  }

  /** Begins an evaluation pass over the next tokens of sequences in the open cache. */
  void begin(TokenBatch next, KeyValueCache continued, int[] sequences, List<int[]> tokens) {
    if (continued != openCache) {
      throw new IllegalStateException(
          "Cannot read on: the network has opened another decoder since");
    }
    begin(next, PassOptions.evaluation());
    continued.begin(sequences, tokens);
    this.cache = continued;
    this.positions = continued.positions();
  }

  /** Makes a cache the one whose sequences passes may continue. */
  void open(KeyValueCache next) {
    this.openCache = next;
  }

  /** What the pass continues; null where its sequences begin with it. */
  KeyValueCache cache() {
    return cache;
  }

  boolean wantsWeights() {
    return options.gradient() == PassOptions.Gradient.ALL;
  }

  boolean replays() {
    return options.routing() == PassOptions.Routing.REPLAY;
  }

  /** Where a module's choice of experts lies in this pass: {@code [T · k]}. */
  ExpertChoice choice(LinearModule module, int k) {
    int length = batch.size() * k;
    if (replays()) {
      ExpertChoice recorded = recordedChoices.get(module);
      if (recorded == null || recorded.length() != length) {
        throw new IllegalStateException(
            "Cannot replay the routing of " + module + ": it was not recorded");
      }
      return recorded;
    }
    Map<LinearModule, ExpertChoice> kept =
        options.routing() == PassOptions.Routing.RECORD ? recordedChoices : choices;
    ExpertChoice choice = kept.get(module);
    if (choice == null || choice.length() != length) {
      if (choice != null) {
        kernels.release(choice);
      }
      choice = kernels.choice(length);
      kept.put(module, choice);
    }
    return choice;
  }

  /** Gives back what the passes have kept outside the buffers. */
  void close() {
    measurements.close();
    choices.values().forEach(kernels::release);
    recordedChoices.values().forEach(kernels::release);
    choices.clear();
    recordedChoices.clear();
  }

  /** Whether the pass measures how undecided the routers are. */
  boolean measuresEntropy() {
    return options.routing() == PassOptions.Routing.RECORD && selection == null;
  }
}
