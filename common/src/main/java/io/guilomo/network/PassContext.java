package io.guilomo.network;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import io.guilomo.network.Extent.PassShape;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the parts of one replica share: their kernels and working arrays, and the current pass. */
public final class PassContext {

  private final Backbone backbone;
  private final Map<Rotary.Shape, Rotary> rotary = new HashMap<>();
  private final Kernels kernels;
  private final boolean exactWeights;
  private final Buffers buffers;
  private final Recompute recompute;
  private final Measurements measurements;
  private final Map<LinearModule, ExpertChoice> choices = new HashMap<>();
  private final Map<LinearModule, ExpertChoice> recordedChoices = new HashMap<>();
  private TokenBatch batch;
  private TokenBatch whole;
  private PassShape shape;
  private int firstToken;
  private int[] positions;
  private KeyValueCache openCache;
  private KeyValueCache cache;
  private PassOptions options = PassOptions.evaluation();
  private boolean wantsInput;
  private boolean recomputes;

  PassContext(Backbone backbone, Kernels kernels, Buffers buffers, Recompute recompute) {
    this.backbone = backbone;
    this.kernels = kernels;
    this.exactWeights = backbone.matrix(Backbone.WORDS).type() == DataType.FLOAT;
    this.buffers = buffers;
    this.recompute = recompute;
    this.measurements = new Measurements(kernels);
    Rotary.shapes(backbone.config())
        .forEach(each -> rotary.put(each, new Rotary(each, kernels, buffers)));
  }

  public Backbone backbone() {
    return backbone;
  }

  /** The positions of layers that rotate so. */
  public Rotary rotary(Rotary.Shape rotation) {
    return rotary.get(rotation);
  }

  public Kernels kernels() {
    return kernels;
  }

  Buffers buffers() {
    return buffers;
  }

  public Measurements measurements() {
    return measurements;
  }

  /** A declared array, as large as the batch needs it; its content is whatever was left there. */
  public INDArray array(WorkingArray array) {
    return array.extent() == Extent.FIXED
        ? vector(array, array.columns())
        : array(array, array.extent().rows(shape));
  }

  /** As {@link #array(WorkingArray)}, of the given number of rows. */
  public INDArray array(WorkingArray array, long rows) {
    return array.columns() == WorkingArray.VECTOR
        ? vector(array, rows)
        : buffers.array(name(array), rows, array.columns());
  }

  /** As {@link #array(WorkingArray)}, as a vector of the given length. */
  public INDArray vector(WorkingArray array, long length) {
    return buffers.array(name(array), length);
  }

  /**
   * What a part saves stays as it is until the backward pass. Where none follows, or the part is
   * computed again for it, one array serves the parts of all layers: only a layer's output outlives
   * it, and the next layer has read it when it writes its own.
   */
  private String name(WorkingArray array) {
    return array.name(recompute, options.gradient() == PassOptions.Gradient.NONE);
  }

  /**
   * Columns {@code first .. first + count − 1} of an array; views of working arrays are made once.
   */
  public INDArray columns(INDArray matrix, long first, long count) {
    return buffers.columns(matrix, first, count);
  }

  public TokenBatch batch() {
    return batch;
  }

  /** The batch that {@link #batch()} is a part of, or all of. */
  public TokenBatch whole() {
    return whole;
  }

  /** Where {@link #batch()} begins in {@link #whole()}. */
  public int firstToken() {
    return firstToken;
  }

  /** Position of each token in its sequence, {@code [T]}. */
  public int[] positions() {
    return positions;
  }

  public PassOptions options() {
    return options;
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
    prepare(nextBatch, all, first, nextOptions);
    int[] lengths = lengths(nextBatch);
    place(nextBatch.positions(), lengths, lengths);
  }

  private void prepare(TokenBatch nextBatch, TokenBatch all, int first, PassOptions nextOptions) {
    this.batch = nextBatch;
    // Parts say themselves how many rows of labels they have, and attention the size of its state.
    this.shape = new PassShape(nextBatch.size(), nextBatch.sequences(), 0, 0);
    this.whole = all;
    this.firstToken = first;
    this.cache = null;
    this.recomputes = false;
    this.options = nextOptions;
    kernels.accuracy(exactWeights ? Kernels.Accuracy.EXACT : nextOptions.accuracy());
    measurements.begin();
  }

  /** Begins an evaluation pass over the next tokens of sequences in the open cache. */
  void begin(TokenBatch next, KeyValueCache continued, int[] sequences, List<int[]> tokens) {
    if (continued != openCache) {
      throw new IllegalStateException(
          "Cannot read on: the network has opened another decoder since");
    }
    prepare(next, next, 0, PassOptions.evaluation());
    continued.begin(sequences, tokens);
    this.cache = continued;
    place(
        continued.positions(),
        Arrays.stream(sequences).map(continued::capacity).toArray(),
        continued.capacities());
  }

  private void place(int[] nextPositions, int[] lengths, int[] allLengths) {
    this.positions = nextPositions;
    rotary.values().forEach(each -> each.begin(batch.starts(), lengths, allLengths, nextPositions));
  }

  private static int[] lengths(TokenBatch batch) {
    int[] lengths = new int[batch.sequences()];
    Arrays.setAll(lengths, batch::length);
    return lengths;
  }

  /** Makes a cache the one whose sequences passes may continue. */
  void open(KeyValueCache next) {
    this.openCache = next;
  }

  /** What the pass continues; null where its sequences begin with it. */
  public KeyValueCache cache() {
    return cache;
  }

  /** Makes passes differentiate by what enters the first block, which nothing trainable needs. */
  void wantInput() {
    this.wantsInput = true;
  }

  /** Whether the gradient by what enters the first block is wanted. */
  public boolean wantsInput() {
    return wantsInput;
  }

  /** Whether the backward pass computes blocks again. */
  boolean recomputesBlocks() {
    return recompute == Recompute.BLOCKS;
  }

  /**
   * Begins or ends computing parts again in the backward pass. What is kept of the forward pass is
   * still there: the routers' weights, and what they measured.
   */
  public void recompute(boolean again) {
    this.recomputes = again;
  }

  /** Whether a part is computed again. */
  public boolean recomputes() {
    return recomputes;
  }

  public boolean wantsWeights() {
    return options.gradient() == PassOptions.Gradient.ALL;
  }

  /** Whether the routers' choices are counted, and kept for a pass that replays them. */
  public boolean records() {
    return options.routing() == PassOptions.Routing.RECORD;
  }

  public boolean replays() {
    return options.routing() == PassOptions.Routing.REPLAY;
  }

  /**
   * The choices of a module's router in this pass, {@code [T · perToken]}: to be written, or, if
   * the pass replays, to be read.
   */
  public ExpertChoice choice(LinearModule module, int perToken) {
    int length = batch.size() * perToken;
    if (replays()) {
      ExpertChoice recorded = recordedChoices.get(module);
      if (recorded == null || recorded.length() != length) {
        throw new IllegalStateException(
            "Cannot replay the routing of " + module + ": it was not recorded");
      }
      return recorded;
    }
    Map<LinearModule, ExpertChoice> kept = records() ? recordedChoices : choices;
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
}
