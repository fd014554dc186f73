package io.guilomo.network;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.moe.Mixture;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen transformer with LoRA experts, routers and, in the search stage, GuidedSelection
 * Vectors. Its trainable parameters are one flat vector {@code [a | w]}, GSVs first. Not
 * thread-safe.
 */
public final class LoraMoeNetwork implements AutoCloseable {

  private final NetworkDefinition definition;
  private final Mixture mixture;
  private final HostParameters host;
  private final long gsvCount;
  private final Kernels kernels;
  private final ParameterStore store;
  private final Replicas replicas;

  private LoraMoeNetwork(
      NetworkDefinition definition,
      HostParameters host,
      Backbone backbone,
      Kernels kernels,
      Recompute recompute) {
    this.definition = definition;
    List<PartSpec> specs = PartSpec.all(definition);
    this.mixture = specs.get(0).mixture();
    this.host = host;
    this.gsvCount = mixture.selection() == null ? 0 : mixture.selection().parameters().size();
    this.kernels = kernels;
    this.store = new ParameterStore(host, kernels);
    try {
      this.replicas =
          new Replicas(kernels, backbone, definition, recompute, specs, store, gsvCount);
    } catch (RuntimeException e) {
      // Where a card is full.
      store.close();
      throw e;
    }
  }

  /** A network with fresh parameters. */
  public static LoraMoeNetwork create(
      NetworkDefinition definition, Backbone backbone, Kernels kernels) {
    return create(definition, backbone, kernels, Recompute.NONE);
  }

  /** As {@link #create(NetworkDefinition, Backbone, Kernels)}, to be trained. */
  public static LoraMoeNetwork create(
      NetworkDefinition definition, Backbone backbone, Kernels kernels, Recompute recompute) {
    HostParameters host = HostParameters.initial(definition, backbone.classifier());
    return of(definition, host, backbone, kernels, recompute);
  }

  /**
   * A network with the given parameters and moments, which it works on where its kernels compute in
   * the memory of the host; elsewhere see {@link #upload} and {@link #download}.
   */
  public static LoraMoeNetwork of(
      NetworkDefinition definition, HostParameters host, Backbone backbone, Kernels kernels) {
    return of(definition, host, backbone, kernels, Recompute.NONE);
  }

  /** As {@link #of(NetworkDefinition, HostParameters, Backbone, Kernels)}, to be trained. */
  public static LoraMoeNetwork of(
      NetworkDefinition definition,
      HostParameters host,
      Backbone backbone,
      Kernels kernels,
      Recompute recompute) {
    return new LoraMoeNetwork(definition, host, backbone, kernels, recompute);
  }

  /** What the network was made from. */
  public NetworkDefinition definition() {
    return definition;
  }

  /** Its parameters, gradient and moments in the memory of the host. */
  public HostParameters host() {
    return host;
  }

  /**
   * Runs a batch forward and, as the options ask, backward. Gradients that the options ask for are
   * in {@link #weightGradient()} and {@link #gsvGradient()} afterwards; the others are undefined.
   */
  public PassResult pass(TokenBatch batch, PassOptions options) {
    return replicas.pass(batch, options);
  }

  /**
   * Logits without dropout: {@code [T, vocabulary]} of a causal language model, {@code [sequences,
   * classes]} of a classifier. The next pass overwrites them.
   */
  public INDArray logits(TokenBatch batch) {
    INDArray states = states(batch);
    return replicas.first().head().forward(states);
  }

  /** As {@link #logits}, a copy for the host. */
  public float[][] logitRows(TokenBatch batch) {
    return Rows.read(kernels, logits(batch));
  }

  /**
   * What a classifier's head has read of each sequence of the last {@link #logits}, {@code
   * [sequences, hidden]}, a copy for the host.
   *
   * @throws IllegalArgumentException if this is a causal language model
   */
  public float[][] featureRows() {
    if (!(replicas.first().head() instanceof ClassificationHead classifier)) {
      throw new IllegalArgumentException(
          "Cannot read the features of a classifier: this is a causal language model");
    }
    return Rows.read(kernels, classifier.features());
  }

  /**
   * The states before the head without dropout, {@code [T, hidden]}. The next pass overwrites them.
   */
  public INDArray states(TokenBatch batch) {
    replicas.first().context().begin(batch, PassOptions.evaluation());
    return replicas.first().states();
  }

  /**
   * Opens a decoder of as many sequences as there are capacities; it ends the one before.
   *
   * @param capacities tokens that each sequence has room for
   * @throws IllegalArgumentException if this is no causal language model, or it has fewer positions
   */
  public IncrementalDecoder decoder(int[] capacities) {
    if (!(replicas.first().head() instanceof CausalHead causal)) {
      throw new IllegalArgumentException(
          "Cannot continue texts with a classifier: a causal language model is needed");
    }
    return new IncrementalDecoder(
        replicas.first().context(), replicas.first().parts(), causal, capacities);
  }

  /** Shape of the frozen backbone. */
  public BackboneConfig config() {
    return replicas.first().context().backbone().config();
  }

  /** Classes that it tells apart; 0 for a causal language model. */
  public int classes() {
    return definition.classes();
  }

  /** Modules with experts, in the order of their GSVs. */
  public List<ModuleExperts> modules() {
    return definition.modules();
  }

  /** Inner variables {@code w}: A, B, λ, routers, classifier. A view. */
  public INDArray weights() {
    return ArrayViews.slice(store.parameters(), gsvCount, host.size() - gsvCount);
  }

  /** Gradient of the last pass by {@link #weights()}. A view. */
  public INDArray weightGradient() {
    return ArrayViews.slice(store.gradient(), gsvCount, host.size() - gsvCount);
  }

  /** Outer variables {@code a}: all GSVs. A view. Only in the search stage. */
  public INDArray gsvs() {
    return ArrayViews.slice(store.parameters(), 0, gsvCount);
  }

  /** Gradient of the last pass by {@link #gsvs()}. A view. */
  public INDArray gsvGradient() {
    return ArrayViews.slice(store.gradient(), 0, gsvCount);
  }

  /** First moments of {@link #gsvs()}. A view. */
  public INDArray gsvFirstMoment() {
    return ArrayViews.slice(store.moments(), 0, gsvCount);
  }

  public INDArray gsvSecondMoment() {
    return ArrayViews.slice(store.moments(), gsvCount, gsvCount);
  }

  /** First moments of {@link #weights()}. A view. */
  public INDArray weightFirstMoment() {
    return ArrayViews.slice(store.moments(), 2 * gsvCount, host.size() - gsvCount);
  }

  public INDArray weightSecondMoment() {
    return ArrayViews.slice(store.moments(), host.size() + gsvCount, host.size() - gsvCount);
  }

  /**
   * Takes over parameters and moments that the host has changed, where the network works on copies
   * of them in the memory of its kernels.
   */
  public void upload() {
    store.upload();
  }

  /**
   * Brings parameters, gradient and moments back to the host, where the network works on copies of
   * them in the memory of its kernels.
   */
  public void download() {
    store.download();
  }

  /**
   * A view of one parameter on the host by name, for instance {@code 0.q-proj.A}. See {@link
   * #upload} and {@link #download}.
   */
  public INDArray parameter(String name) {
    return NamedParameters.of(definition, host.parameters()).view(name);
  }

  /** A view of one parameter's gradient on the host by name. See {@link #download}. */
  public INDArray gradient(String name) {
    return NamedParameters.of(definition, host.gradient()).view(name);
  }

  /** Names of all parameters in the order of the flat vector. */
  public List<String> parameterNames() {
    return NamedParameters.of(definition, host.parameters()).names();
  }

  /** The estimator's choice for each GSV, on which alone hard masks depend. */
  public int[] maskChoices() {
    float[] gsvs = new float[Math.toIntExact(gsvCount)];
    kernels.read(gsvs(), gsvs);
    return mixture.selection().choices(gsvs);
  }

  /** (token, slot) pairs that each expert got in recorded passes since the network was built. */
  public Map<LinearModule, long[]> routedTokens() {
    return replicas.record().routedTokens();
  }

  /**
   * How undecided each router was in the last recorded pass of the fine-tuning stage: mean over the
   * tokens of the entropy of its probabilities, in nats, at most {@code ln experts}.
   */
  public Map<LinearModule, Double> routerEntropy() {
    return replicas.record().routerEntropy();
  }

  /** A working vector as long as {@link #weights()}, kept under a name. */
  public INDArray workingVector(String name) {
    return replicas.first().context().buffers().array("vector." + name, host.size() - gsvCount);
  }

  /** A working vector as long as {@link #gsvs()}, kept under a name. */
  public INDArray workingGsvs(String name) {
    return replicas.first().context().buffers().array("gsvs." + name, gsvCount);
  }

  /** Bytes of the working arrays. */
  public long workingBytes() {
    return replicas.bytes();
  }

  /** Hands the working arrays to the next network of this JVM. */
  @Override
  public void close() {
    replicas.giveBack();
    store.close();
  }

  @Override
  public String toString() {
    return "LoRA-MoE network of " + host.size() + " parameters";
  }
}
