package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Cuts the views of a part's parameters out of the flat vector, and fills them on a fresh start.
 */
final class PartInitializer implements ParamInitializer {

  static final PartInitializer INSTANCE = new PartInitializer();

  private PartInitializer() {}

  @Override
  public long numParams(NeuralNetConfiguration conf) {
    return numParams(conf.getLayer());
  }

  @Override
  public long numParams(Layer layer) {
    return layout(layer).size();
  }

  @Override
  public List<String> paramKeys(Layer layer) {
    return layout(layer).slices().stream().map(ParameterLayout.Slice::name).toList();
  }

  @Override
  public List<String> weightKeys(Layer layer) {
    return paramKeys(layer);
  }

  @Override
  public List<String> biasKeys(Layer layer) {
    return List.of();
  }

  @Override
  public boolean isWeightParam(Layer layer, String key) {
    return true;
  }

  @Override
  public boolean isBiasParam(Layer layer, String key) {
    return false;
  }

  @Override
  public Map<String, INDArray> init(
      NeuralNetConfiguration conf, INDArray paramsView, boolean initializeParams) {
    PartConf part = (PartConf) conf.getLayer();
    Map<String, INDArray> views =
        views(part, paramsView, (slice, view) -> conf.addVariable(slice.name()));
    if (initializeParams) {
      long seed = part.spec().seed();
      List<ParameterLayout.Slice> slices = part.layout().slices();
      // Drawn side by side, but given to ND4J by this thread, which has the GPU of the arrays.
      List<float[]> drawn =
          slices.parallelStream()
              .map(slice -> slice.initialisation().values(seed, slice.name(), slice.shape()))
              .toList();
      for (int i = 0; i < drawn.size(); i++) {
        ParameterLayout.Slice slice = slices.get(i);
        views
            .get(slice.name())
            .assign(Nd4j.createFromArray(drawn.get(i)).reshape('c', slice.shape()));
      }
    }
    return views;
  }

  @Override
  public Map<String, INDArray> getGradientsFromFlattened(
      NeuralNetConfiguration conf, INDArray gradientView) {
    return views((PartConf) conf.getLayer(), gradientView, (slice, view) -> {});
  }

  private static Map<String, INDArray> views(
      PartConf part, INDArray flat, BiConsumer<ParameterLayout.Slice, INDArray> each) {
    Map<String, INDArray> views = new LinkedHashMap<>();
    for (ParameterLayout.Slice slice : part.layout().slices()) {
      INDArray view = ArrayViews.stretch(flat, slice.offset(), slice.shape());
      views.put(slice.name(), view);
      each.accept(slice, view);
    }
    return views;
  }

  private static ParameterLayout layout(Layer layer) {
    return ((PartConf) layer).layout();
  }
}
