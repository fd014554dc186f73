package io.guilomo.adapter;

import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.model.Task;
import io.guilomo.plan.ExpertPlan;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The files of {@link AdapterDirectory}: a complete copy, which {@code predict} reads. */
public record GuilomoFormat() implements AdapterFormat {

  @Override
  public ExportedAdapter write(Adapter adapter, ModelCard card, Path directory, Configuration conf)
      throws IOException {
    return new ExportedAdapter(
        new AdapterDirectory(directory, conf).write(adapter, Optional.of(card)),
        adapter.description().plan().modules().stream()
            .flatMap(module -> module.experts().stream())
            .mapToInt(ExpertPlan::rank)
            .max()
            .orElse(0));
  }

  @Override
  public String library() {
    return "guilomo";
  }

  @Override
  public String what() {
    return "An adapter: LoRA experts on the frozen model.";
  }

  @Override
  public String use(AdapterDescription description) {
    boolean classifies = description.task() == Task.CLASSIFICATION;
    return ModelCard.filled(
        """
        With the Python package in `deploy/python` of GuiLoMo on Spark, PyTorch and transformers:

        ```python
        import guilomo
        from transformers import AutoTokenizer

        model = guilomo.load({model}, ".")
        tokenizer = AutoTokenizer.from_pretrained({model})
        print(guilomo.%s(model, tokenizer, "…"))
        ```

        On Spark: `deploy/guilomo predict --set evaluate.adapter=DIRECTORY`.
        """
            .formatted(classifies ? "classify" : "generate"),
        Map.of("model", ModelCard.model(description)));
  }
}
