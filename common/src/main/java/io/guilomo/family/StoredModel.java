package io.guilomo.family;

import io.guilomo.io.ConfigJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.SafetensorsModel;
import io.guilomo.io.StoredTensor;
import io.guilomo.model.LinearModule;
import io.guilomo.network.BackboneConfig;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The files of a checkpoint, and where in them its family keeps what can change. */
public final class StoredModel implements Closeable {

  private final ModelDirectory directory;
  private final SafetensorsModel weights;
  private final ModelFamily family;
  private final BackboneConfig config;
  private final ConfigJson json;
  private final Map<String, String> names;

  /**
   * @param names what the files call the tensors that the family asks for
   */
  StoredModel(
      ModelDirectory directory,
      SafetensorsModel weights,
      ModelFamily family,
      BackboneConfig config,
      ConfigJson json,
      Map<String, String> names) {
    this.directory = directory;
    this.weights = weights;
    this.family = family;
    this.config = config;
    this.json = json;
    this.names = names;
  }

  public ModelDirectory directory() {
    return directory;
  }

  public SafetensorsModel weights() {
    return weights;
  }

  public BackboneConfig config() {
    return config;
  }

  /** Its {@code config.json}. */
  public ConfigJson json() {
    return json;
  }

  /** Hugging Face's class for sequence classification with this model. */
  public String classifierArchitecture() {
    return family.classifierArchitecture(json);
  }

  /** Every tensor as it is stored, those that the family does not ask for too. */
  public List<StoredTensor> tensors() throws IOException {
    List<StoredTensor> tensors = new ArrayList<>();
    for (String name : weights.names()) {
      tensors.add(weights.stored(name));
    }
    return tensors;
  }

  /** What the files call the weight {@code [out, in]} of a module. */
  public String weight(LinearModule module) {
    String name = family.paths().inBase(module) + ".weight";
    return head(name)
        .or(() -> head(family.paths().base() + "." + name))
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "Cannot find the weight of %s: the family asks for none of its name"
                        .formatted(module)));
  }

  /**
   * What the files call a tensor that the family asks for under this name; empty if it does not.
   */
  public Optional<String> head(String name) {
    return Optional.ofNullable(names.get(name));
  }

  /**
   * What a class with a head has before the names in these files: the prefix of the base model, or
   * its beginning, where the base model was stored alone. Empty otherwise.
   */
  public String missingPrefix() {
    LinearModule module = config.linearModules().get(0);
    String stored = weight(module);
    String prefix =
        stored.substring(0, stored.length() - (config.paths().inBase(module) + ".weight").length());
    String whole = config.paths().base() + ".";
    return whole.endsWith(prefix) ? whole.substring(0, whole.length() - prefix.length()) : "";
  }

  @Override
  public void close() throws IOException {
    weights.close();
  }
}
