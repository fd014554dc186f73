package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The modules of a block as a PyTorch model of the family lists them: their order and their paths.
 */
public enum StateDictOrder {
  /** The released code's {@code llama}: down before up. */
  LLAMA(
      "model.layers.",
      "q_proj=self_attn.q_proj",
      "k_proj=self_attn.k_proj",
      "v_proj=self_attn.v_proj",
      "o_proj=self_attn.o_proj",
      "gate_proj=mlp.gate_proj",
      "down_proj=mlp.down_proj",
      "up_proj=mlp.up_proj"),
  /** The released code's {@code llama3}, and Hugging Face's order today: up before down. */
  LLAMA3(
      "model.layers.",
      "q_proj=self_attn.q_proj",
      "k_proj=self_attn.k_proj",
      "v_proj=self_attn.v_proj",
      "o_proj=self_attn.o_proj",
      "gate_proj=mlp.gate_proj",
      "up_proj=mlp.up_proj",
      "down_proj=mlp.down_proj"),
  /** Encoders, by Hugging Face's paths; the released code has none. */
  BERT(
      "encoder.layer.",
      "query=attention.self.query",
      "key=attention.self.key",
      "value=attention.self.value",
      "attention_output=attention.output.dense",
      "intermediate=intermediate.dense",
      "output=output.dense");

  private final String prefix;
  private final Map<String, String> paths = new LinkedHashMap<>();

  StateDictOrder(String prefix, String... namesAndPaths) {
    this.prefix = prefix;
    for (String nameAndPath : namesAndPaths) {
      int equals = nameAndPath.indexOf('=');
      paths.put(nameAndPath.substring(0, equals), nameAndPath.substring(equals + 1));
    }
  }

  /** {@link #BERT} or {@link #LLAMA3}: the one that knows the modules. */
  public static StateDictOrder of(List<LinearModule> modules) {
    return modules.stream().allMatch(module -> BERT.paths.containsKey(module.name()))
        ? BERT
        : LLAMA3;
  }

  /**
   * Full path of a module: {@code model.layers.0.self_attn.q_proj}.
   *
   * @throws UserException if the family has no module of that name
   */
  public String path(LinearModule module) {
    String path = paths.get(module.name());
    if (path == null) {
      throw new UserException(
          "Cannot name the state-dict path of %s: known are %s",
          module, String.join(", ", paths.keySet()));
    }
    return prefix + module.layer() + "." + path;
  }

  /** The module plans in the order of the state dict. */
  List<ModulePlan> sort(List<ModulePlan> modules) {
    List<String> names = new ArrayList<>(paths.keySet());
    Comparator<ModulePlan> byLayer = Comparator.comparingInt(plan -> plan.module().layer());
    return modules.stream()
        .sorted(byLayer.thenComparingInt(plan -> names.indexOf(plan.module().name())))
        .toList();
  }
}
