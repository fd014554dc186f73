package io.guilomo.adapter;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlanParser;
import java.io.IOException;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The layout of Hugging Face PEFT's LoRA (arXiv 2106.09685), for plans with one expert on every
 * module: {@code adapter_model.safetensors} with {@code base_model.model.PATH.lora_A.weight [r,
 * in]} and {@code .lora_B.weight [out, r]}, and {@code adapter_config.json}. Routers have no effect
 * and are left out.
 *
 * <p>Modules are named by their full paths in transformers' class of the model with a head, for
 * causal language models or sequence classification; {@code rank_pattern} and {@code alpha_pattern}
 * name every one of them. PEFT's {@code alpha / r} is the same for all of them, the scaling {@code
 * s} of the largest rank, and the files hold {@code B · s_m / s}: servers such as vLLM read {@code
 * lora_alpha} and {@code r} and no patterns, and would scale the modules of other ranks wrongly.
 *
 * <p>A classifier is in {@code modules_to_save}. If it reads the head of its checkpoint ({@code
 * pooling} {@code head}), or the last token of a decoder, the class for sequence classification
 * computes the same. If not, the class has a pooler or a layer between: a program that loads the
 * files with PEFT must pool as the adapter's manifest says.
 *
 * @param padRank pads every module to this rank with zero rows of {@code A} and zero columns of
 *     {@code B}, for servers that want one rank; the function stays the same
 */
public record PeftFormat(OptionalInt padRank) implements AdapterFormat {

  static final String CONFIG = "adapter_config.json";

  public PeftFormat {
    if (padRank.isPresent()
        && (padRank.getAsInt() < 1 || padRank.getAsInt() > AllocationPlanParser.MAX_RANK)) {
      throw new UserException(
          "Cannot pad to rank %d: it must be from 1 to %d",
          padRank.getAsInt(), AllocationPlanParser.MAX_RANK);
    }
  }

  public static PeftFormat unpadded() {
    return new PeftFormat(OptionalInt.empty());
  }

  public static PeftFormat padded(int rank) {
    return new PeftFormat(OptionalInt.of(rank));
  }

  @Override
  public ExportedAdapter write(Adapter adapter, ModelCard card, Path directory, Configuration conf)
      throws IOException {
    List<ModuleExperts> modules = adapter.description().plan().moduleExperts();
    SingleExperts.require(adapter.description().plan(), "export to PEFT");
    modules.forEach(this::check);
    ModulePaths paths = adapter.description().paths();
    Map<String, ModuleExperts> byPath = new LinkedHashMap<>();
    modules.forEach(module -> byPath.put(paths.inHead(module.module()), module));
    ModuleExperts largest =
        Collections.max(modules, Comparator.comparingInt(module -> module.ranks().get(0)));
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    byPath.forEach(
        (path, module) -> {
          INDArray a = adapter.tensors().get(AdapterTensors.a(module, 0));
          INDArray b =
              AdapterTensors.times(
                  adapter.tensors().get(AdapterTensors.b(module, 0)),
                  scaling(module) / scaling(largest));
          tensors.put(
              AdapterTensors.PEFT_PREFIX + path + ".lora_A.weight",
              padded(a, rank(module), a.size(1)));
          tensors.put(
              AdapterTensors.PEFT_PREFIX + path + ".lora_B.weight",
              padded(b, b.size(0), rank(module)));
        });
    String classifier = AdapterTensors.PEFT_PREFIX + paths.classifier();
    putIfThere(adapter, AdapterTensors.CLASSIFIER_WEIGHT, tensors, classifier + ".weight");
    putIfThere(adapter, AdapterTensors.CLASSIFIER_BIAS, tensors, classifier + ".bias");
    try (ExportDirectory export = new ExportDirectory(directory, conf)) {
      export.write(card);
      export.write(tensors);
      export.write(CONFIG, config(adapter.description(), byPath, largest));
      return new ExportedAdapter(export.commit(), rank(largest));
    }
  }

  private static void putIfThere(
      Adapter adapter, String name, Map<String, INDArray> tensors, String written) {
    if (adapter.tensors().containsKey(name)) {
      tensors.put(written, adapter.tensors().get(name));
    }
  }

  private void check(ModuleExperts module) {
    int rank = module.ranks().get(0);
    if (rank > rank(module)) {
      throw new UserException(
          "Cannot pad to rank %d: %s has rank %d", rank(module), module.module(), rank);
    }
  }

  /** Rank of a module's expert in the file. */
  private int rank(ModuleExperts module) {
    return padRank.orElse(module.ranks().get(0));
  }

  private static double scaling(ModuleExperts module) {
    return module.scalings().get(0);
  }

  /**
   * α of a module in the file, such that {@code alpha / r} is the scaling of the largest rank,
   * whatever the scaling's rule: readers need not know {@code use_rslora}.
   */
  private double alpha(ModuleExperts module, ModuleExperts largest) {
    return scaling(largest) * rank(module);
  }

  private static INDArray padded(INDArray tensor, long rows, long columns) {
    if (tensor.size(0) == rows && tensor.size(1) == columns) {
      return tensor;
    }
    INDArray padded = Nd4j.create(DataType.FLOAT, rows, columns);
    ArrayViews.columns(ArrayViews.rows(padded, 0, tensor.size(0)), 0, tensor.size(1))
        .assign(tensor);
    return padded;
  }

  private String config(
      AdapterDescription description, Map<String, ModuleExperts> byPath, ModuleExperts largest)
      throws IOException {
    boolean classifies = description.task() == Task.CLASSIFICATION;
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = mapper.createObjectNode();
    json.put("peft_type", "LORA");
    String classifier = description.paths().classifier();
    if (!classifies) {
      json.put("task_type", "CAUSAL_LM");
    } else if (!classifier.contains(".")) {
      json.put("task_type", "SEQ_CLS");
    } else {
      // For SEQ_CLS, PEFT would ask for all layers of the head, of which an adapter has the last.
      json.putNull("task_type");
    }
    json.put("base_model_name_or_path", description.backbone());
    json.put("r", rank(largest));
    json.put("lora_alpha", alpha(largest, largest));
    json.put("lora_dropout", 0.0);
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    // A suffix would not do: BERT's output.dense ends the path of attention.output.dense too.
    byPath.keySet().forEach(json.putArray("target_modules")::add);
    ObjectNode ranks = json.putObject("rank_pattern");
    ObjectNode alphas = json.putObject("alpha_pattern");
    byPath.forEach(
        (path, module) -> {
          ranks.put(path, rank(module));
          alphas.put(path, alpha(module, largest));
        });
    if (classifies) {
      json.putArray("modules_to_save").add(classifier);
    }
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
  }

  @Override
  public String library() {
    return "peft";
  }

  @Override
  public String what() {
    return "An adapter for PEFT: a LoRA on the frozen model.";
  }

  @Override
  public String use(AdapterDescription description) {
    boolean classifies = description.task() == Task.CLASSIFICATION;
    String loading =
        """
        ```python
        from peft import PeftModel
        from transformers import %1$s

        model = %1$s.from_pretrained({model}%2$s)
        model = PeftModel.from_pretrained(model, ".").eval()
        ```
        """
            .formatted(
                classifies ? "AutoModelForSequenceClassification" : "AutoModelForCausalLM",
                classifies
                    ? ", num_labels=%d, ignore_mismatched_sizes=True"
                        .formatted(description.labels().size())
                    : "");
    int rank = description.plan().moduleExperts().stream().mapToInt(this::rank).max().orElseThrow();
    String note =
        !classifies
            ? "\nvLLM serves it with `--enable-lora`, and `--max-lora-rank` of at least %d."
                .formatted(rank)
            : description.pooledAsInItsClass()
                ? ""
                : "\nThe class reads another state than this classifier was trained with: pool the states (`%s`) and apply the classifier to them."
                    .formatted(description.pooling());
    return ModelCard.filled(loading, Map.of("model", ModelCard.model(description))) + note;
  }
}
