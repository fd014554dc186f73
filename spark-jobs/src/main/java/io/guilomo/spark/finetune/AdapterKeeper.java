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
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/** Writes the adapters of a training: the best, and the last beside it with {@code -last}. */
public final class AdapterKeeper {

  private static final String LAST = "-last";

  private final JobContext context;
  private final AllocationPlan plan;
  private final NetworkDefinition network;
  private final List<String> labels;
  private final PromptTemplate template;
  private final Path best;
  private final Replacing replacing;
  private boolean replaced;

  /** What is done before the first adapter is written over an earlier one. */
  @FunctionalInterface
  interface Replacing {
    void run() throws IOException;
  }

  /**
   * @param best directory of the best
   * @param replacing runs before the first one is written there
   */
  AdapterKeeper(
      JobContext context,
      AllocationPlan plan,
      NetworkDefinition network,
      Optional<LabelSet> labels,
      Path best,
      Replacing replacing)
      throws IOException {
    this.context = context;
    this.plan = plan;
    this.network = network;
    this.labels = labels.map(LabelSet::labels).orElse(List.of());
    this.template = labels.isPresent() ? null : new JobData(context).template();
    this.best = best;
    this.replacing = replacing;
  }

  /**
   * Writes the parameters as the last adapter, and as the best if they are.
   *
   * @param digest of the backbone they belong to
   */
  void keep(NamedParameters parameters, String digest, boolean better) throws IOException {
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
    new AdapterDirectory(best.suffix(LAST), context.hadoop()).write(adapter);
    if (better) {
      if (!replaced) {
        replacing.run();
        replaced = true;
      }
      new AdapterDirectory(best, context.hadoop()).write(adapter);
    }
  }
}
