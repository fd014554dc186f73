package io.guilomo.spark.run;

import io.guilomo.data.Seeds;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.UserPath;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.ReleasedPlanFormat;
import io.guilomo.spark.table.RunLayout;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The files of one run, {@code runs/RUN_ID} under the output directory. */
public final class RunDirectory {

  private static final String MEMBER = "adapter-seed-";
  private static final Pattern MEMBER_NAME = Pattern.compile(MEMBER + "(.+?)(-last)?");

  private final Path directory;
  private final FileSystem fileSystem;

  public RunDirectory(String outputDir, String runId, Configuration conf) throws IOException {
    this.directory = new Path(new Path(UserPath.of(outputDir), RunLayout.RUNS), runId);
    this.fileSystem = directory.getFileSystem(conf);
  }

  /** Writes a whole text: into a temporary file first, which is then renamed. */
  public void write(String name, String text) throws IOException {
    Path target = new Path(directory, name);
    Path temporary = new Path(directory, "_" + name + ".tmp");
    try (OutputStream out = fileSystem.create(temporary, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    if (fileSystem.exists(target)) {
      fileSystem.delete(target, false);
    }
    if (!fileSystem.rename(temporary, target)) {
      throw new IOException("Cannot move " + temporary + " to " + target);
    }
  }

  /**
   * Writes a plan as {@code plan.json}, and as the {@code rank.json} and {@code expert.json} of the
   * released GuiLoMo code.
   *
   * @param suffix of the three names, such as {@code -seed-7}; empty for the run's own plan
   * @param paths of the plan's modules
   */
  public void writePlan(String suffix, AllocationPlan plan, ModulePaths paths) throws IOException {
    ReleasedPlanFormat released = new ReleasedPlanFormat(paths);
    write("plan" + suffix + ".json", AllocationPlanParser.toJson(plan));
    write("rank" + suffix + ".json", released.rankJson(plan));
    write("expert" + suffix + ".json", released.expertJson(plan));
  }

  /** Where the run keeps its best adapter. */
  public Path bestAdapter() {
    return path(RunLayout.ADAPTER);
  }

  /** Where the run keeps the best adapter of a further seed of the same plan. */
  public Path memberAdapter(long seed) {
    return path(MEMBER + seed);
  }

  /** The best adapter, then those of further seeds that there are, in the order of the seeds. */
  public List<Path> bestAdapters() throws IOException {
    List<Path> adapters = new ArrayList<>(List.of(bestAdapter()));
    members().keySet().forEach(seed -> adapters.add(memberAdapter(seed)));
    return adapters;
  }

  /** Removes the adapters of further seeds that are not among these. */
  public void keepMembers(List<Long> seeds) throws IOException {
    for (Map.Entry<Long, List<Path>> member : members().entrySet()) {
      for (Path own : seeds.contains(member.getKey()) ? List.<Path>of() : member.getValue()) {
        fileSystem.delete(own, true);
      }
    }
  }

  /** The directories of further seeds' adapters, the best and the last, by seed. */
  private Map<Long, List<Path>> members() throws IOException {
    Map<Long, List<Path>> members = new TreeMap<>();
    FileStatus[] all =
        fileSystem.exists(directory) ? fileSystem.listStatus(directory) : new FileStatus[0];
    for (FileStatus file : all) {
      Matcher name = MEMBER_NAME.matcher(file.getPath().getName());
      if (file.isDirectory() && name.matches()) {
        Seeds.parse(name.group(1))
            .ifPresent(
                seed ->
                    members.computeIfAbsent(seed, first -> new ArrayList<>()).add(file.getPath()));
      }
    }
    return members;
  }

  /** Where a file of the run is. */
  public Path path(String name) {
    return new Path(directory, name);
  }

  /** Its path with the file system that has it. */
  public Path qualified() {
    return fileSystem.makeQualified(directory);
  }

  @Override
  public String toString() {
    return directory.toString();
  }
}
