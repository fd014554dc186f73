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

  /** In a temporary directory: rows that will replace the earlier ones. */
  private static final String NEW = "new";

  /** In a temporary directory: what is being replaced, by its path in the table. */
  private static final String EARLIER = "earlier";

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

  /** Removes the rows, and the hidden directories of earlier attempts. */
  void remove() throws IOException {
    for (Path rows : owned()) {
      fileSystem.delete(rows, true);
    }
    deleteLeftovers();
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

  /** Where rows that will replace the earlier ones are written. */
  Path written(Path temporary) {
    return new Path(temporary, NEW);
  }

  /**
   * Moves the earlier rows aside, and then the new ones into place: the whole directory, or each
   * file under the job's name. A process that dies between two of the moves leaves what {@link
   * #recover} needs.
   */
  Moves replacement(Path temporary) throws IOException {
    Moves moves = new Moves(fileSystem);
    for (Path earlier : owned()) {
      moves.add(earlier, new Path(new Path(temporary, EARLIER), inTable(earlier)));
    }
    if (!perJob) {
      moves.add(written(temporary), partition());
      return moves;
    }
    int part = 0;
    for (Path file : parquetFiles(written(temporary))) {
      moves.add(file, file(String.format(Locale.ROOT, "part-%05d-%s", part++, id(temporary))));
    }
    return moves;
  }

  /**
   * Undoes a replacement during which an earlier attempt of the job died: its new rows are removed,
   * and the earlier ones are moved back.
   */
  void recover() throws IOException {
    for (Path temporary : leftovers()) {
      Path aside = new Path(temporary, EARLIER);
      if (!fileSystem.exists(aside) || !unfinished(temporary)) {
        continue;
      }
      if (perJob) {
        for (Path file : owned()) {
          if (file.getName().contains(id(temporary))) {
            fileSystem.delete(file, false);
          }
        }
      }
      Moves back = new Moves(fileSystem);
      for (Path date : children(aside)) {
        for (Path partition : children(date)) {
          for (Path earlier : perJob ? children(partition) : List.of(partition)) {
            back.add(earlier, new Path(root, inTable(earlier)));
          }
        }
      }
      back.run();
    }
  }

  /** Whether not all new rows are in place. */
  private boolean unfinished(Path temporary) throws IOException {
    Path written = written(temporary);
    return perJob ? !parquetFiles(written).isEmpty() : fileSystem.exists(written);
  }

  /** The path of a file or directory of rows in its table. */
  private String inTable(Path rows) {
    Path partition = perJob ? rows.getParent() : rows;
    String inTable = partition.getParent().getName() + "/" + partition.getName();
    return perJob ? inTable + "/" + rows.getName() : inTable;
  }

  private List<Path> children(Path directory) throws IOException {
    return Stream.of(list(fileSystem, directory)).map(FileStatus::getPath).toList();
  }

  private static String id(Path temporary) {
    return temporary.getName().substring(temporary.getName().length() - UUID_LENGTH);
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
    for (Path temporary : leftovers()) {
      fileSystem.delete(temporary, true);
    }
  }

  private List<Path> leftovers() throws IOException {
    String prefix = temporaryPrefix();
    // The length distinguishes run "a" from run "a-b": job names have no hyphen.
    return list(fileSystem, root, prefix).stream()
        .filter(path -> path.getName().length() == prefix.length() + UUID_LENGTH)
        .toList();
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
