package io.guilomo.spark.job;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.data.PromptTemplate;
import io.guilomo.model.Task;
import io.guilomo.network.NamedParameters;
import io.guilomo.plan.AllocationPlan;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Writes the adapters of a run: the best in {@code adapter}, the last in {@code adapter-last}. */
final class AdapterKeeper implements Finetuning.Keeper {

  private static final String BEST = "adapter";
  private static final String LAST = "adapter-last";

  private final GuilomoConfig config;
  private final AllocationPlan plan;
  private final List<String> labels;
  private final PromptTemplate template;
  private final RunDirectory directory;
  private final Configuration hadoop;

  /**
   * @param template null for a classification
   */
  AdapterKeeper(
      GuilomoConfig config,
      AllocationPlan plan,
      Optional<LabelSet> labels,
      PromptTemplate template,
      RunDirectory directory,
      Configuration hadoop) {
    this.config = config;
    this.plan = plan;
    this.labels = labels.map(LabelSet::labels).orElse(List.of());
    this.template = labels.isPresent() ? null : template;
    this.directory = directory;
    this.hadoop = hadoop;
  }

  @Override
  public void keep(NamedParameters parameters, String digest, boolean best) throws IOException {
    Adapter adapter =
        Adapter.of(
            new AdapterDescription(
                plan,
                config.model().requirePath(),
                digest,
                Task.parse(config.data().task()),
                labels,
                config.model().pooling(),
                config.model().maxLength(),
                template),
            parameters);
    new AdapterDirectory(directory.path(LAST), hadoop).write(adapter);
    if (best) {
      new AdapterDirectory(directory.path(BEST), hadoop).write(adapter);
    }
  }

  /** Where a run keeps its best adapter. */
  static Path best(RunDirectory directory) {
    return directory.path(BEST);
  }
}
