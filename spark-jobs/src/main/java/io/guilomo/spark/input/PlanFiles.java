package io.guilomo.spark.input;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.family.ModelReader;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.ReleasedPlanFormat;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Plans on any file system that Hadoop knows. */
public final class PlanFiles {

  private static final int MAX_BYTES = 64 << 20;

  private PlanFiles() {}

  /**
   * The plan in a {@code plan.json}, or in the {@code rank.json} and {@code expert.json} of the
   * released GuiLoMo code in a directory.
   *
   * @param modules that the plan in a directory must be for
   * @param paths of the modules, as the files name them
   * @param lora says what {@code rank.json} and {@code expert.json} do not: top-k, alpha and its
   *     rule
   * @throws UserException if there is no such plan
   */
  public static AllocationPlan read(
      String name,
      List<LinearModule> modules,
      ModulePaths paths,
      LoraMoeConfig lora,
      Configuration conf)
      throws IOException {
    UserPath given = UserPath.open(name, conf);
    Path path = given.path();
    FileSystem files = given.files();
    try {
      if (!files.getFileStatus(path).isDirectory()) {
        return AllocationPlanParser.fromJson("the plan " + name, text(files, path));
      }
      ReleasedPlanFormat format = new ReleasedPlanFormat(paths);
      return format.read(
          text(files, new Path(path, "rank.json")),
          text(files, new Path(path, "expert.json")),
          modules,
          AllocationStrategies.FILE,
          lora.form());
    } catch (FileNotFoundException e) {
      throw new UserException(
          String.format(
              "Cannot read the plan %s: there is no such file; run allocate first, or name a plan with"
                  + " finetune.plan, allocation.plan or search.start-plan",
              name),
          e);
    }
  }

  /**
   * The plan in a {@code plan.json} that a job has written.
   *
   * @throws UserException if there is none, or it cannot be read
   */
  public static AllocationPlan written(Path path, Configuration conf) throws IOException {
    try {
      return AllocationPlanParser.fromJson(
          "the plan " + path, text(path.getFileSystem(conf), path));
    } catch (FileNotFoundException e) {
      throw new UserException(
          String.format("Cannot read the plan %s: there is no such file", path), e);
    }
  }

  /**
   * The same for the model of a configuration. A plan that names the backbone it was learned with
   * is checked against it, for which all tensors of the model are read.
   *
   * @throws UserException if there is no such plan, or it is one for another model
   */
  public static AllocationPlan readFor(
      String name, GuilomoConfig config, BackboneConfig backbone, Configuration conf)
      throws IOException {
    String model = config.model().requirePath();
    AllocationPlan plan =
        read(name, Networks.targets(config, backbone), backbone.paths(), config.loraMoe(), conf);
    Networks.requireModules(plan, model, backbone);
    requireBackbone(name, plan, model, conf);
    return plan;
  }

  /**
   * Checks that a plan was learned with a model, if it says with which: all tensors are read then.
   *
   * @throws UserException if it was learned with another
   */
  public static void requireBackbone(
      String name, AllocationPlan plan, String model, Configuration conf) throws IOException {
    if (!plan.backboneDigest().isEmpty()) {
      String digest = ModelReader.digest(model, conf);
      if (!digest.equals(plan.backboneDigest())) {
        throw new UserException(
            "Cannot use the plan %s: it was learned with a model whose digest is %s, that of %s"
                + " is %s; to use it all the same, remove backbone-digest from it",
            name, shortened(plan.backboneDigest()), model, shortened(digest));
      }
    }
  }

  private static String shortened(String digest) {
    return digest.substring(0, Math.min(12, digest.length()));
  }

  private static String text(FileSystem files, Path path) throws IOException {
    long length = files.getFileStatus(path).getLen();
    if (length > MAX_BYTES) {
      throw new UserException(
          "Cannot read the plan %s: it has %d bytes, maximum is %d", path, length, MAX_BYTES);
    }
    try (FSDataInputStream in = files.open(path)) {
      return new String(in.readNBytes((int) length), StandardCharsets.UTF_8);
    }
  }
}
