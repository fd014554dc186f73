package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.LinearModule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The named parameters of a network in its flat vector, or in a vector of the same form such as its
 * gradient. Needs no backbone.
 */
public final class NamedParameters {

  private final Map<String, INDArray> views;

  private NamedParameters(Map<String, INDArray> views) {
    this.views = views;
  }

  /**
   * @param flat of as many elements as the network has parameters
   */
  public static NamedParameters of(NetworkDefinition network, INDArray flat) {
    Map<String, INDArray> views = new LinkedHashMap<>();
    long offset = 0;
    for (PartSpec spec : PartSpec.all(network)) {
      ParameterLayout layout = spec.build().parameters();
      for (ParameterLayout.Slice slice : layout.slices()) {
        views.put(slice.name(), ArrayViews.slice(flat, offset + slice.offset(), slice.shape()));
      }
      offset += layout.size();
    }
    return new NamedParameters(views);
  }

  /**
   * The name of a module's parameter.
   *
   * @param kind {@code A [R, in]}, {@code B [out, R]} or {@code router [experts, in]}, stacked over
   *     the experts; {@code A} has the rows of the largest rank where they share it
   */
  public static String name(LinearModule module, String kind) {
    return PartNames.prefix(module) + kind;
  }

  /** In the order of the flat vector. */
  public List<String> names() {
    return List.copyOf(views.keySet());
  }

  /** A view of one parameter, for instance {@code 0.q-proj.A}. */
  public INDArray view(String name) {
    INDArray view = views.get(name);
    if (view == null) {
      throw new IllegalArgumentException("Cannot find parameter " + name);
    }
    return view;
  }
}
