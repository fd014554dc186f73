package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.family.Backbone;
import io.guilomo.family.BackboneConfig;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Adam;

/**
 * A frozen transformer with LoRA experts, routers and, in the search stage, GuidedSelection
 * Vectors: a DL4J {@link ComputationGraph} whose trainable parameters are one flat vector {@code [a
 * | w]}, GSVs first. Not thread-safe.
 */
public final class LoraMoeNetwork implements AutoCloseable {

  private static final String INPUT = "tokens";

  private final ComputationGraph graph;
  private final List<PartLayer> layers = new ArrayList<>();
  private final PartSpec selection;
  private final long gsvCount;
  private final Kernels kernels;
  private final ParameterStore store;
  private final Replicas replicas;

  private LoraMoeNetwork(ComputationGraph graph, Backbone backbone, Kernels kernels) {
    this.graph = graph;
    graph.initGradientsView();
    for (Layer layer : graph.getLayers()) {
      layers.add((PartLayer) layer);
    }
    PartSpec first = layers.get(0).layerConf().spec();
    this.selection = first.kind() == PartSpec.Kind.SELECTION ? first : null;
    this.gsvCount = selection == null ? 0 : layers.get(0).part().parameters().size();
    this.kernels = kernels;
    this.store = new ParameterStore(graph, kernels);
    try {
      this.replicas = new Replicas(kernels, backbone, layers, store, gsvCount, first.loadBalance());
    } catch (RuntimeException e) {
      // Where a card is full.
      store.close();
      throw e;
    }
  }

  /**
   * The graph of a definition, as JSON-serialisable configuration. It does not load the backbone.
   */
  public static ComputationGraphConfiguration configuration(NetworkDefinition definition) {
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.FLOAT)
            .seed(definition.seed())
            .trainingWorkspaceMode(WorkspaceMode.NONE)
            .inferenceWorkspaceMode(WorkspaceMode.NONE)
            .graphBuilder()
            .addInputs(INPUT);
    String last = INPUT;
    if (definition.stage() == Stage.SEARCH) {
      last =
          add(
              builder,
              PartNames.SELECTION,
              PartSpec.of(definition, PartSpec.Kind.SELECTION, -1),
              last);
    }
    last =
        add(
            builder,
            PartNames.EMBEDDING,
            PartSpec.of(definition, PartSpec.Kind.EMBEDDING, -1),
            last);
    for (int layer = 0; layer < definition.config().layers(); layer++) {
      last =
          add(
              builder,
              PartNames.block(layer),
              PartSpec.of(definition, PartSpec.Kind.BLOCK, layer),
              last);
    }
    last = add(builder, PartNames.HEAD, PartSpec.of(definition, PartSpec.Kind.HEAD, -1), last);
    return builder.setOutputs(last).build();
  }

  private static String add(
      ComputationGraphConfiguration.GraphBuilder builder,
      String name,
      PartSpec spec,
      String input) {
    // Two moments a parameter are all that is wanted of DL4J's updater: the steps themselves are
    // AdamW's.
    builder.addLayer(name, new PartConf(spec, new Adam()), input);
    return name;
  }

  /** A network with fresh parameters. */
  public static LoraMoeNetwork create(
      NetworkDefinition definition, Backbone backbone, Kernels kernels) {
    ComputationGraph graph = new ComputationGraph(configuration(definition));
    graph.init();
    return of(graph, backbone, kernels);
  }

  /**
   * A network over a graph of {@link #configuration}, which keeps its parameters and updater state.
   */
  public static LoraMoeNetwork of(ComputationGraph graph, Backbone backbone, Kernels kernels) {
    return new LoraMoeNetwork(graph, backbone, kernels);
  }

  /** Where the backbone of a graph of {@link #configuration} lies. */
  public static String backboneOf(ComputationGraph graph) {
    return ((PartLayer) graph.getLayer(0)).layerConf().spec().backbone();
  }

  public ComputationGraph graph() {
    return graph;
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
    return layers.get(0).layerConf().spec().classes();
  }

  /** Modules with experts, in the order of their GSVs. */
  public List<ModuleExperts> modules() {
    if (selection != null) {
      return selection.modules();
    }
    List<ModuleExperts> modules = new ArrayList<>();
    layers.forEach(layer -> modules.addAll(layer.layerConf().spec().modules()));
    return modules;
  }

  /** Inner variables {@code w}: A, B, λ, routers, classifier. A view. */
  public INDArray weights() {
    return ArrayViews.stretch(store.parameters(), gsvCount, graph.numParams() - gsvCount);
  }

  /** Gradient of the last pass by {@link #weights()}. A view. */
  public INDArray weightGradient() {
    return ArrayViews.stretch(store.gradient(), gsvCount, graph.numParams() - gsvCount);
  }

  /** Outer variables {@code a}: all GSVs. A view. Only in the search stage. */
  public INDArray gsvs() {
    return ArrayViews.stretch(store.parameters(), 0, gsvCount);
  }

  /** Gradient of the last pass by {@link #gsvs()}. A view. */
  public INDArray gsvGradient() {
    return ArrayViews.stretch(store.gradient(), 0, gsvCount);
  }

  /**
   * First moments of {@link #gsvs()} in the updater's state {@code [m_a | v_a | m_w | v_w]}. A
   * view.
   */
  public INDArray gsvFirstMoment() {
    return ArrayViews.stretch(store.moments(), 0, gsvCount);
  }

  public INDArray gsvSecondMoment() {
    return ArrayViews.stretch(store.moments(), gsvCount, gsvCount);
  }

  /** First moments of {@link #weights()}. A view. */
  public INDArray weightFirstMoment() {
    return ArrayViews.stretch(store.moments(), 2 * gsvCount, graph.numParams() - gsvCount);
  }

  public INDArray weightSecondMoment() {
    return ArrayViews.stretch(
        store.moments(), graph.numParams() + gsvCount, graph.numParams() - gsvCount);
  }

  /**
   * Takes over parameters and updater state that were changed in the graph, where the network works
   * on copies of them in the memory of its kernels.
   */
  public void upload() {
    store.upload();
  }

  /**
   * Brings parameters, gradient and updater state back into the graph, where the network works on
   * copies of them in the memory of its kernels.
   */
  public void download() {
    store.download();
  }

  /**
   * A view of one parameter of the graph by name, for instance {@code 0.q-proj.A}. See {@link
   * #upload} and {@link #download}.
   */
  public INDArray parameter(String name) {
    return NamedParameters.of(graph, graph.params()).view(name);
  }

  /** A view of one parameter's gradient in the graph by name. See {@link #download}. */
  public INDArray gradient(String name) {
    return NamedParameters.of(graph, graph.getFlattenedGradients()).view(name);
  }

  /** Names of all parameters in the order of the flat vector. */
  public List<String> parameterNames() {
    return NamedParameters.of(graph, graph.params()).names();
  }

  /** The argmaxes that the masks depend on, one a GSV. */
  public int[] maskChoices() {
    float[] gsvs = new float[Math.toIntExact(gsvCount)];
    kernels.read(gsvs(), gsvs);
    return Selection.choices(selection.modules(), gsvs);
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
    return replicas
        .first()
        .context()
        .buffers()
        .array("vector." + name, graph.numParams() - gsvCount);
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
    return "LoRA-MoE network of "
        + graph.numParams()
        + " parameters, "
        + Arrays.toString(graph.params().shape());
  }
}
