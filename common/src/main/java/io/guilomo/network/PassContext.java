package io.guilomo.network;

import io.guilomo.backbone.Backbone;
import io.guilomo.backbone.LinearModule;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.RoutingStatistics;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the parts of one network share: their kernels and working arrays, and the pass that is under
 * way.
 */
final class PassContext {

  private final Backbone backbone;
  private final RotaryTable rotary;
  private final Kernels kernels;
  private final Buffers buffers;
  private final Map<LinearModule, RoutingStatistics> routing = new LinkedHashMap<>();
  private final Map<LinearModule, Double> entropies = new HashMap<>();
  private final Map<LinearModule, int[]> choices = new HashMap<>();
  private final Map<LinearModule, int[]> recordedChoices = new HashMap<>();
  private Selection selection;
  private TokenBatch batch;
  private TokenBatch whole;
  private int firstToken;
  private int[] positions;
  private KeyValueCache openCache;
  private KeyValueCache cache;
  private PassOptions options = PassOptions.evaluation();
  private LoadBalance balance;

  PassContext(Backbone backbone, Kernels kernels, Buffers buffers) {
    this.backbone = backbone;
    this.rotary = backbone.config() instanceof LlamaConfig llama ? RotaryTable.of(llama) : null;
    this.kernels = kernels;
    this.buffers = buffers;
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
    this.whole = all;
    this.firstToken = first;
    this.positions = nextBatch.positions();
    this.cache = null;
    this.options = nextOptions;
    routing.clear();
    entropies.clear();
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
  int[] choice(LinearModule module, int k) {
    int length = batch.size() * k;
    if (replays()) {
      int[] recorded = recordedChoices.get(module);
      if (recorded == null || recorded.length != length) {
        throw new IllegalStateException(
            "Cannot replay the routing of " + module + ": it was not recorded");
      }
      return recorded;
    }
    Map<LinearModule, int[]> kept =
        options.routing() == PassOptions.Routing.RECORD ? recordedChoices : choices;
    int[] choice = kept.get(module);
    if (choice == null || choice.length != length) {
      choice = new int[length];
      kept.put(module, choice);
    }
    return choice;
  }

  /**
   * What a module's router did in this pass.
   *
   * @param probabilities {@code [T, experts]}
   */
  void routed(LinearModule module, RoutingStatistics statistics, INDArray probabilities) {
    routing.put(module, statistics);
    if (options.routing() == PassOptions.Routing.RECORD && selection == null) {
      entropies.put(module, entropy(probabilities));
    }
  }

  /** What the routers did in this pass. */
  Map<LinearModule, RoutingStatistics> routing() {
    return routing;
  }

  /** The load-balancing loss of the whole batch, known once all its replicas are forward. */
  LoadBalance balance() {
    return balance;
  }

  void balance(LoadBalance ofWhole) {
    this.balance = ofWhole;
  }

  /** Sum over the tokens of {@code −Σ_e p_e ln p_e}, in nats. */
  private static double entropy(INDArray probabilities) {
    double sum = 0;
    for (float p : probabilities.dup('c').data().asFloat()) {
      sum -= p > 0 ? p * Math.log(p) : 0;
    }
    return sum;
  }

  /**
   * How undecided the routers were if this pass is a recorded one of the fine-tuning stage: sums
   * over the tokens of the entropy of their probabilities, in nats.
   */
  Map<LinearModule, Double> entropies() {
    return entropies;
  }
}
