package io.guilomo.spark.table;

import io.guilomo.model.UserPath;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The files of one table, from the view of one job of a run. Temporary directories are siblings of
 * the partitions; their names start with {@code _}, so that readers skip them.
 */
class TableFiles {
  private static final String TEMPORARY = "_temporary-";
  private static final int UUID_LENGTH = 36;

  private final Path root;
  private final FileSystem fileSystem;
  private final JobRun run;
  private final boolean perJob;

  TableFiles(String outputDir, Table<?> table, JobRun run, Configuration conf) throws IOException {
    this.root = root(outputDir, table);
    this.fileSystem = root.getFileSystem(conf);
    this.run = run;
    this.perJob = table.perJob();
  }

  static Path root(String outputDir, Table<?> table) {
    return new Path(new Path(UserPath.of(outputDir), "tables"), table.name());
  }

  FileSystem fileSystem() {
    return fileSystem;
  }

  /** The directory for the rows. */
  Path partition() {
    return new Path(
        root, Table.RUN_DATE + "=" + run.runDate() + "/" + Table.RUN_ID + "=" + run.runId());
  }

  /** The run's directories, whatever their dates. */
  List<Path> partitions() throws IOException {
    return partitions(fileSystem, root, run.runId());
  }

  /** The directories of a run in a table, whatever their dates. */
  static List<Path> partitions(FileSystem system, Path root, String runId) throws IOException {
    List<Path> partitions = new ArrayList<>();
    for (Path date : list(system, root, Table.RUN_DATE + "=")) {
      Path partition = new Path(date, Table.RUN_ID + "=" + runId);
      if (system.exists(partition)) {
        partitions.add(partition);
      }
    }
    return partitions;
  }

  /**
   * The directories of runs in a table, whatever their dates. Those of other runs are not opened.
   */
  static List<Path> partitions(FileSystem system, Path root, Predicate<String> runs)
      throws IOException {
    List<Path> partitions = new ArrayList<>();
    for (Path date : list(system, root, Table.RUN_DATE + "=")) {
      for (Path run : list(system, date, Table.RUN_ID + "=")) {
        if (runs.test(runId(run))) {
          partitions.add(run);
        }
      }
    }
    return partitions;
  }

  /** The run whose directory it is. */
  static String runId(Path partition) {
    return partition.getName().substring(Table.RUN_ID.length() + 1);
  }

  private static List<Path> list(FileSystem system, Path directory, String prefix)
      throws IOException {
    return Stream.of(list(system, directory))
        .map(FileStatus::getPath)
        .filter(path -> path.getName().startsWith(prefix))
        .toList();
  }

  /**
   * What is removed when the rows are replaced: the run's directories, or only the job's files if
   * other jobs' rows must stay.
   */
  List<Path> owned() throws IOException {
    List<Path> partitions = partitions();
    if (!perJob) {
      return partitions;
    }
    List<Path> owned = new ArrayList<>();
    for (Path partition : partitions) {
      parquetFiles(partition).stream().filter(this::owns).forEach(owned::add);
    }
    return owned;
  }

  /**
   * Whether a Parquet file of the run is of the job, or of a table that does not tell jobs apart.
   */
  boolean owns(Path file) {
    return file.getName().startsWith(ownedPrefix());
  }

  /** Glob pattern of the files that hold the rows. */
  String ownedNames() {
    return ownedPrefix() + "*.parquet";
  }

  /**
   * Moves files from {@code written} into place: the whole directory, or each file under the job's
   * name.
   */
  void place(Path written, Moves moves) throws IOException {
    if (!perJob) {
      moves.add(written, partition());
      return;
    }
    int part = 0;
    for (Path file : parquetFiles(written)) {
      moves.add(file, file(String.format(Locale.ROOT, "part-%05d", part++)));
    }
  }

  /** The file of one round. */
  Path roundFile(long seed, long round) {
    return file(String.format(Locale.ROOT, "seed-%d-round-%08d", seed, round));
  }

  List<Path> parquetFiles(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    for (FileStatus file : list(fileSystem, directory)) {
      if (file.isFile() && file.getPath().getName().endsWith(".parquet")) {
        files.add(file.getPath());
      }
    }
    files.sort(null);
    return files;
  }

  /** The path of a new hidden directory. */
  Path temporary() {
    return new Path(root, temporaryPrefix() + UUID.randomUUID());
  }

  /** Removes hidden directories left behind by earlier attempts of the job. */
  void deleteLeftovers() throws IOException {
    String prefix = temporaryPrefix();
    for (FileStatus status : list(fileSystem, root)) {
      String name = status.getPath().getName();
      // The length distinguishes run "a" from run "a-b": job names have no hyphen.
      if (name.startsWith(prefix) && name.length() == prefix.length() + UUID_LENGTH) {
        fileSystem.delete(status.getPath(), true);
      }
    }
  }

  private String temporaryPrefix() {
    return TEMPORARY + run.runId() + "-" + run.job() + "-";
  }

  private Path file(String name) {
    return new Path(partition(), ownedPrefix() + name + ".parquet");
  }

  private String ownedPrefix() {
    return perJob ? run.job() + "-" : "";
  }

  /** What a directory has: nothing if it is not there. */
  static FileStatus[] list(FileSystem system, Path directory) throws IOException {
    return system.exists(directory) ? system.listStatus(directory) : new FileStatus[0];
  }
}
