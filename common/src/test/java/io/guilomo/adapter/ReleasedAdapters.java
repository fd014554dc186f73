package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.ModulePaths;
import io.guilomo.plan.AllocationPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reads adapters that {@link ReleasedAdapterFormat} or the released code has written. */
final class ReleasedAdapters {

  private ReleasedAdapters() {}

  /**
   * @param description what the files do not contain; its plan must match them and share nothing
   */
  static Adapter read(Path directory, AdapterDescription description) throws IOException {
    AllocationPlan plan = description.plan();
    ModulePaths paths = description.paths();
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (SafetensorsFile file = GoldenFiles.open(directory.resolve(ExportDirectory.TENSORS))) {
      for (ModuleExperts module : plan.moduleExperts()) {
        for (int e = 0; e < module.experts(); e++) {
          double factor = ReleasedAdapterFormat.factor(plan, module, e);
          tensors.put(
              AdapterTensors.a(module, e), file.read(ReleasedAdapterFormat.a(paths, module, e)));
          tensors.put(
              AdapterTensors.b(module, e),
              AdapterTensors.times(
                  file.read(ReleasedAdapterFormat.b(paths, module, e)), 1 / factor));
        }
        tensors.put(
            AdapterTensors.router(module), file.read(ReleasedAdapterFormat.router(paths, module)));
      }
      assertThat(file.names()).hasSameSizeAs(tensors.keySet());
    }
    return new Adapter(description, tensors);
  }
}
