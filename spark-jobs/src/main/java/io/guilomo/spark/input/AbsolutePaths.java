package io.guilomo.spark.input;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/**
 * Relative paths of a configuration, made absolute where the driver runs: executors of a cluster
 * have other working directories.
 */
public final class AbsolutePaths {

  private AbsolutePaths() {}

  /** The configuration for the executors of a session; unchanged in local mode. */
  public static GuilomoConfig forExecutors(SparkSession spark, GuilomoConfig config) {
    return spark.sparkContext().isLocal()
        ? config
        : of(config, spark.sparkContext().hadoopConfiguration());
  }

  static GuilomoConfig of(GuilomoConfig config, Configuration hadoop) {
    Map<String, String> paths = new LinkedHashMap<>();
    paths.put("model.path", config.model().path());
    paths.put("data.train", config.data().train());
    paths.put("data.validation", config.data().validation());
    paths.put("search.start-plan", config.search().startPlan());
    paths.put("allocation.plan", config.allocation().plan());
    paths.put("finetune.plan", config.finetune().plan());
    paths.put("evaluate.data", config.evaluate().data());
    paths.put("evaluate.adapter", config.evaluate().adapter());
    paths.put("evaluate.out-of-domain", config.evaluate().uncertainty().outOfDomain());
    paths.put("output.dir", config.output().dir());
    List<String> changes = new ArrayList<>();
    List<String> members = config.evaluate().uncertainty().adapters();
    if (members.stream().anyMatch(AbsolutePaths::isRelative)) {
      changes.add(
          members.stream()
              .map(path -> isRelative(path) ? absolute(path, hadoop) : path)
              .map(path -> "\"" + path.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
              .collect(Collectors.joining(",", "evaluate.adapters=[", "]")));
    }
    paths.forEach(
        (key, path) -> {
          if (isRelative(path)) {
            changes.add(key + "=" + absolute(path, hadoop));
          }
        });
    return changes.isEmpty() ? config : config.with(changes);
  }

  private static boolean isRelative(String path) {
    if (path.isBlank()) {
      return false;
    }
    return !UserPath.isUri(path) && !UserPath.of(path).isAbsolute();
  }

  private static String absolute(String path, Configuration hadoop) {
    try {
      Path qualified = FileSystem.get(hadoop).makeQualified(UserPath.of(path));
      return Path.getPathWithoutSchemeAndAuthority(qualified).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format("Cannot tell where %s is: %s", path, e.getMessage()), e);
    }
  }
}
