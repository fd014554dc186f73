package io.guilomo.adapter;

import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.plan.ExpertPlan;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The files of {@link AdapterDirectory}: a complete copy, which {@code predict} reads. */
public record GuilomoFormat() implements AdapterFormat {

  @Override
  public ExportedAdapter write(Adapter adapter, Path directory, Configuration conf)
      throws IOException {
    new AdapterDirectory(directory, conf).write(adapter);
    return new ExportedAdapter(
        List.of(
            new Path(directory, AdapterDirectory.TENSORS),
            new Path(directory, AdapterDirectory.MANIFEST)),
        adapter.description().plan().modules().stream()
            .flatMap(module -> module.experts().stream())
            .mapToInt(ExpertPlan::rank)
            .max()
            .orElse(0));
  }
}
