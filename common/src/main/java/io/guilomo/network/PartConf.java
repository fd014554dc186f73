package io.guilomo.network;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** A {@link Part} as a layer configuration of DL4J; its JSON is what travels to the executors. */
public final class PartConf extends BaseLayer {

  @JsonProperty private String json;

  private transient PartSpec spec;
  private transient ParameterLayout layout;

  /** For Jackson. */
  public PartConf() {}

  PartConf(PartSpec spec, IUpdater updater) {
    this.json = spec.toJson();
    this.iUpdater = updater;
  }

  PartSpec spec() {
    if (spec == null) {
      spec = PartSpec.fromJson(json);
    }
    return spec;
  }

  ParameterLayout layout() {
    if (layout == null) {
      layout = spec().build().parameters();
    }
    return layout;
  }

  @Override
  public org.deeplearning4j.nn.api.Layer instantiate(
      NeuralNetConfiguration conf,
      Collection<TrainingListener> trainingListeners,
      int layerIndex,
      INDArray layerParamsView,
      boolean initializeParams,
      DataType networkDataType) {
    Part part = spec().build();
    PartLayer layer =
        part instanceof Head head
            ? new HeadLayer(conf, networkDataType, head)
            : new PartLayer(conf, networkDataType, part);
    layer.setListeners(trainingListeners);
    layer.setIndex(layerIndex);
    if (layout().size() > 0) {
      layer.setParamsViewArray(layerParamsView);
      layer.setParamTable(initializer().init(conf, layerParamsView, initializeParams));
    } else {
      layer.setParamTable(Map.of());
    }
    layer.setConf(conf);
    return layer;
  }

  @Override
  public ParamInitializer initializer() {
    return PartInitializer.INSTANCE;
  }

  @Override
  public List<Regularization> getRegularizationByParam(String paramName) {
    return List.of();
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return inputType;
  }

  @Override
  public void setNIn(InputType inputType, boolean override) {}

  @Override
  public InputPreProcessor getPreProcessorForInputType(InputType inputType) {
    return null;
  }

  @Override
  public boolean isPretrainParam(String paramName) {
    return false;
  }

  @Override
  public LayerMemoryReport getMemoryReport(InputType inputType) {
    return new LayerMemoryReport.Builder(layerName, PartConf.class, inputType, inputType)
        .standardMemory(layout().size(), layout().size())
        .build();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PartConf that && json.equals(that.json) && super.equals(other);
  }

  @Override
  public int hashCode() {
    return json.hashCode();
  }
}
