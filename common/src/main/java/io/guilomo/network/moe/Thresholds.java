package io.guilomo.network.moe;

import io.guilomo.network.Initialisation;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.Part;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The networks from which {@link SparsegenRouter}s get each token's {@code z} (LD-MoLE, arXiv
 * 2509.25684, section 3.2): one for all modules of the same number of input features,
 *
 * <pre>
 *   z = relu(x W₁ᵀ + b₁) W₂ᵀ + b₂     W₁ [256, in]     W₂ [1, 256]
 * </pre>
 *
 * They are a part of their own because modules of all blocks share them; {@link TokenThreshold}
 * runs them where the modules read their input.
 */
public final class Thresholds implements Part {

  static final int HIDDEN = 256;

  /** The parameters of one network, or their gradients. */
  record Network(INDArray hidden, INDArray hiddenBias, INDArray output, INDArray outputBias) {}

  private final Collection<Integer> inFeatures;
  private final ParameterLayout layout;
  private final Map<Integer, Network> networks = new HashMap<>();
  private final Map<Integer, Network> gradients = new HashMap<>();
  private PassContext context;
  private INDArray gradient;

  /**
   * @param inFeatures of the modules
   */
  Thresholds(Collection<Integer> inFeatures) {
    this.inFeatures = inFeatures;
    this.layout = layout(inFeatures);
  }

  private static ParameterLayout layout(Collection<Integer> inFeatures) {
    ParameterLayout layout = new ParameterLayout();
    for (int in : new TreeSet<>(inFeatures)) {
      layout.add(prefix(in) + "hidden.weight", Initialisation.KAIMING_UNIFORM, HIDDEN, in);
      layout.add(prefix(in) + "hidden.bias", Initialisation.ZERO, HIDDEN);
      layout.add(prefix(in) + "output.weight", Initialisation.KAIMING_UNIFORM, 1, HIDDEN);
      layout.add(prefix(in) + "output.bias", Initialisation.ZERO, 1);
    }
    return layout;
  }

  private static String prefix(int inFeatures) {
    return "thresholds." + inFeatures + ".";
  }

  /** The shapes of the parameters by name, which adapters store them under. */
  static Map<String, long[]> shapes(Collection<Integer> inFeatures) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    layout(inFeatures).slices().forEach(slice -> shapes.put(slice.name(), slice.shape()));
    return shapes;
  }

  @Override
  public ParameterLayout parameters() {
    return layout;
  }

  @Override
  public List<WorkingArray> arrays() {
    return List.of();
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    views(parameters, networks);
  }

  @Override
  public void attachGradient(INDArray view) {
    this.gradient = view;
    views(view, gradients);
  }

  private void views(INDArray flat, Map<Integer, Network> views) {
    for (int in : inFeatures) {
      views.put(
          in,
          new Network(
              layout.view(flat, prefix(in) + "hidden.weight"),
              layout.view(flat, prefix(in) + "hidden.bias"),
              layout.view(flat, prefix(in) + "output.weight"),
              layout.view(flat, prefix(in) + "output.bias")));
    }
  }

  /** The network of modules with so many input features, once the part is attached. */
  Network network(int inFeatures) {
    return networks.get(inFeatures);
  }

  /** To which the modules add. */
  Network gradient(int inFeatures) {
    return gradients.get(inFeatures);
  }

  @Override
  public INDArray forward(INDArray input) {
    if (context.wantsWeights()) {
      context.kernels().fill(gradient, 0);
    }
    return input;
  }

  @Override
  public INDArray backward(INDArray unused) {
    return null;
  }
}
