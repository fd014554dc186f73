package io.guilomo.spark.finetune;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.data.PromptTemplate;
import io.guilomo.model.Task;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.run.RunDirectory;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Writes the adapters of a run: the best in {@code adapter}, the last in {@code adapter-last}. */
public final class AdapterKeeper {

  private static final String LAST = "adapter-last";

  private final JobContext context;
  private final AllocationPlan plan;
  private final NetworkDefinition network;
  private final List<String> labels;
  private final PromptTemplate template;
  private final RunDirectory directory;

  AdapterKeeper(
      JobContext context,
      AllocationPlan plan,
      NetworkDefinition network,
      Optional<LabelSet> labels,
      RunDirectory directory)
      throws IOException {
    this.context = context;
    this.plan = plan;
    this.network = network;
    this.labels = labels.map(LabelSet::labels).orElse(List.of());
    this.template = labels.isPresent() ? null : new JobData(context).template();
    this.directory = directory;
  }

  /**
   * Writes the parameters as the last adapter, and as the best if they are.
   *
   * @param digest of the backbone they belong to
   */
  void keep(NamedParameters parameters, String digest, boolean best) throws IOException {
    GuilomoConfig config = context.config();
    Adapter adapter =
        Adapter.of(
            new AdapterDescription(
                plan,
                config.model().requirePath(),
                digest,
                network.config().paths(),
                Task.parse(config.data().task()),
                labels,
                network.pooling(),
                config.model().maxLength().tokens(),
                template),
            parameters);
    new AdapterDirectory(directory.path(LAST), context.hadoop()).write(adapter);
    if (best) {
      new AdapterDirectory(directory.bestAdapter(), context.hadoop()).write(adapter);
    }
  }
}
