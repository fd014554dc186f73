package io.guilomo.adapter;

import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ReleasedPlanFormat;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The files that the fine-tuning code released with GuiLoMo (arXiv 2506.14646,
 * github.com/Liar406/Gui-LoMo) saves, after MoLA (arXiv 2402.08562): {@code
 * adapter_model.safetensors} with {@code base_model.model.PATH.lora_A_{e}.weight [r_e, in]}, {@code
 * .lora_B_{e}.weight [out, r_e]} and {@code .router.router.weight [E, in]}, and {@code rank.json}
 * and {@code expert.json}. That code knows decoders and top-k routing only. α and top-k are in none
 * of the files: they are arguments of its scripts.
 *
 * <p>The released code scales every expert of a module by {@code s_last = α / rank of the module's
 * last expert}, where an {@link Adapter} scales each by its own {@code s_e} as its plan's {@link
 * io.guilomo.model.Scaling} says. So that it computes the same function, the files hold {@code B_e
 * · s_e / s_last}; dividing again is exact to a rounding. An {@code A} that the experts of a module
 * share is written for each of them.
 */
public record ReleasedAdapterFormat() implements AdapterFormat {

  @Override
  public ExportedAdapter write(Adapter adapter, ModelCard card, Path directory, Configuration conf)
      throws IOException {
    AdapterDescription description = adapter.description();
    refuseOthers(description);
    AllocationPlan plan = description.plan();
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    int largestRank = 0;
    for (ModuleExperts module : plan.moduleExperts()) {
      for (int e = 0; e < module.experts(); e++) {
        INDArray a = adapter.tensors().get(AdapterTensors.a(module, e));
        INDArray b = adapter.tensors().get(AdapterTensors.b(module, e));
        tensors.put(
            a(description.paths(), module, e), ArrayViews.rows(a, 0, module.ranks().get(e)));
        tensors.put(
            b(description.paths(), module, e), AdapterTensors.times(b, factor(plan, module, e)));
        largestRank = Math.max(largestRank, module.ranks().get(e));
      }
      tensors.put(
          router(description.paths(), module),
          adapter.tensors().get(AdapterTensors.router(module)));
    }
    ReleasedPlanFormat plans = new ReleasedPlanFormat(description.paths());
    try (ExportDirectory export = new ExportDirectory(directory, conf)) {
      export.write(card);
      export.write(tensors);
      export.write("rank.json", plans.rankJson(plan));
      export.write("expert.json", plans.expertJson(plan));
      return new ExportedAdapter(export.commit(), largestRank);
    }
  }

  private static void refuseOthers(AdapterDescription description) {
    String router = description.plan().routing().router();
    if (!router.equals(RoutingMethod.TOP_K)) {
      throw new UserException(
          "Cannot use the released format for routing %s: the released code knows %s",
          router, RoutingMethod.TOP_K);
    }
    if (description.task() == Task.CLASSIFICATION) {
      throw new UserException(
          "Cannot use the released format for task %s: the released code has no classifier",
          description.task());
    }
  }

  /** {@code s_e / s_last}. */
  static double factor(AllocationPlan plan, ModuleExperts module, int expert) {
    int last = module.ranks().get(module.experts() - 1);
    return module.scalings().get(expert) / (plan.alpha() / last);
  }

  static String a(ModulePaths paths, ModuleExperts module, int expert) {
    return prefix(paths, module) + "lora_A_" + expert + ".weight";
  }

  static String b(ModulePaths paths, ModuleExperts module, int expert) {
    return prefix(paths, module) + "lora_B_" + expert + ".weight";
  }

  static String router(ModulePaths paths, ModuleExperts module) {
    return prefix(paths, module) + "router.router.weight";
  }

  private static String prefix(ModulePaths paths, ModuleExperts module) {
    return AdapterTensors.PEFT_PREFIX + paths.inHead(module.module()) + ".";
  }

  @Override
  public String library() {
    return "guilomo";
  }

  @Override
  public String what() {
    return "An adapter, as the released code of GuiLoMo saves it: LoRA experts on the frozen model.";
  }

  @Override
  public String use(AdapterDescription description) {
    return """
        With the [released code](https://github.com/Liar406/Gui-LoMo), whose scripts take alpha and top-k as arguments:
        %s and %d here.
        """
        .formatted(description.plan().alpha(), description.plan().routing().topK());
  }
}
