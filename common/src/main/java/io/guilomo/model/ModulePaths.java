package io.guilomo.model;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where Hugging Face's classes of a model keep the modules that can carry experts, and the linear
 * layer that turns a sequence into classes. The class of a base model ({@code BertModel}, {@code
 * LlamaModel}) is an attribute {@code base} of the classes with a head ({@code
 * BertForSequenceClassification}, {@code LlamaForCausalLM}).
 *
 * @param base transformers' {@code base_model_prefix}: {@code model}, {@code bert}, …; {@code
 *     model.language_model} in models that read images too
 * @param layers path of the list of blocks in the base model: {@code layers}, {@code encoder.layer}
 * @param modules paths inside a block by the names of the modules, in the order of the state dict
 * @param classifier path of the last linear layer in the class for sequence classification
 * @param causal whether the model is used under its class with a language-model head; an encoder is
 *     used as a base model
 */
public record ModulePaths(
    String base, String layers, Map<String, String> modules, String classifier, boolean causal)
    implements Serializable {

  public ModulePaths {
    modules = Collections.unmodifiableMap(new LinkedHashMap<>(modules));
  }

  /**
   * Paths of a decoder with a classifier called {@code score}, as nearly all have: {@code
   * model.layers.L.PATH}.
   *
   * @param paths of the modules inside a block; the last word of a path is the module's name
   */
  public static ModulePaths decoder(String... paths) {
    Map<String, String> modules = new LinkedHashMap<>();
    for (String path : paths) {
      modules.put(path.substring(path.lastIndexOf('.') + 1), path);
    }
    return new ModulePaths("model", "layers", modules, "score", true);
  }

  /** The same model as a part of a larger one: {@code model.language_model.layers.L.PATH}. */
  public ModulePaths under(String largerBase) {
    return new ModulePaths(largerBase, layers, modules, classifier, causal);
  }

  /**
   * Paths of an encoder.
   *
   * @param modules {@code NAME=PATH} of every module of a block
   */
  public static ModulePaths encoder(
      String base, String layers, String classifier, String... modules) {
    Map<String, String> paths = new LinkedHashMap<>();
    for (String module : modules) {
      int equals = module.indexOf('=');
      paths.put(module.substring(0, equals), module.substring(equals + 1));
    }
    return new ModulePaths(base, layers, paths, classifier, false);
  }

  /**
   * The path in the base model: {@code layers.0.self_attn.q_proj}.
   *
   * @throws UserException if the model has no module of that name
   */
  public String inBase(LinearModule module) {
    String path = modules.get(module.name());
    if (path == null) {
      throw new UserException(
          "Cannot name the state-dict path of %s: known are %s",
          module, String.join(", ", modules.keySet()));
    }
    return layers + "." + module.layer() + "." + path;
  }

  /** The path in a class with a head: {@code model.layers.0.self_attn.q_proj}. */
  public String inHead(LinearModule module) {
    return base + "." + inBase(module);
  }

  /** The path in the class as which the model is used, which plans name. */
  public String inPlan(LinearModule module) {
    return causal ? inHead(module) : inBase(module);
  }

  /** Position of a module in the state dict of a block. */
  public int order(LinearModule module) {
    return new ArrayList<>(modules.keySet()).indexOf(module.name());
  }
}
