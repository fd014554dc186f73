package io.guilomo.spark.job;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

final class PlanFiles {
  private PlanFiles() {}

  static AllocationPlan read(String name, Configuration conf) throws IOException {
    Path path = new Path(name);
    try (var in = path.getFileSystem(conf).open(path)) {
      return AllocationPlanParser.fromJson(
          new String(in.readNBytes(1 << 26), StandardCharsets.UTF_8));
    }
  }
}
