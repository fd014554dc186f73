package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.StartPlan;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.table.RunLayout;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads the plan that {@code search.start-plan} names. */
final class StartPlans {

  private StartPlans() {}

  /**
   * The plan to start from, if there is to be one.
   *
   * @throws UserException if there is no such plan, or it is not one for the search
   */
  static Optional<StartPlan> read(JobContext context, BackboneConfig backbone) throws IOException {
    GuilomoConfig config = context.config();
    if (config.search().startPlan().isBlank()) {
      return Optional.empty();
    }
    String name = file(config.search().startPlan(), context.hadoop());
    List<ModuleExperts> candidates = Networks.candidates(config, backbone);
    AllocationPlan plan =
        PlanFiles.read(
            name,
            Networks.targets(config, backbone),
            backbone.paths(),
            config.loraMoe(),
            context.hadoop());
    StartPlan start = new StartPlan(name, plan).requireFor(candidates);
    PlanFiles.requireBackbone(name, plan, config.model().requirePath(), context.hadoop());
    return Optional.of(start);
  }

  /** The {@code plan.json} of a directory that has one. */
  private static String file(String name, Configuration conf) throws IOException {
    UserPath given = UserPath.open(name, conf);
    FileSystem files = given.files();
    Path file = new Path(given.path(), RunLayout.PLAN);
    return files.exists(given.path())
            && files.getFileStatus(given.path()).isDirectory()
            && files.exists(file)
        ? file.toString()
        : name;
  }
}
