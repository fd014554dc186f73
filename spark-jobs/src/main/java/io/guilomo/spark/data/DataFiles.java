package io.guilomo.spark.data;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils;

/**
 * The files that a path of the configuration names: a file, a directory and those below it, or what
 * matches a pattern. A path that exists is never taken for a pattern. Files and directories whose
 * names start with {@code _} or {@code .} are left out, as everywhere in Hadoop, unless the path
 * says so itself.
 *
 * @param name the path as it was given
 * @param roots what it names itself, qualified
 * @param files those with content, in the order of their paths
 */
public record DataFiles(String name, List<String> roots, List<DataFile> files) {

  private static final Pattern WILDCARDS = Pattern.compile("[*?\\[{]");
  private static final String NONE = "__HIVE_DEFAULT_PARTITION__";

  /**
   * Finds the files.
   *
   * @throws UserException if there are none, or they cannot be listed
   */
  public static DataFiles find(String name, Configuration conf) {
    UserPath given = UserPath.open(name, conf);
    try {
      List<FileStatus> roots = roots(given);
      if (roots.isEmpty()) {
        throw new UserException("Cannot read %s: there is no such file", name);
      }
      List<DataFile> files = new ArrayList<>();
      for (FileStatus root : roots) {
        collect(given.files(), root, files);
      }
      files.sort(Comparator.comparing(DataFile::path));
      return new DataFiles(
          name, roots.stream().map(root -> root.getPath().toString()).toList(), files);
    } catch (UserException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw new UserException("Cannot read " + name + ": " + UserPath.reason(e), e);
    }
  }

  private static List<FileStatus> roots(UserPath given) throws IOException {
    try {
      return List.of(given.files().getFileStatus(given.path()));
    } catch (FileNotFoundException e) {
      FileStatus[] matching =
          WILDCARDS.matcher(given.path().toString()).find()
              ? given.files().globStatus(given.path())
              : null;
      return matching == null
          ? List.of()
          : Arrays.stream(matching)
              .filter(found -> !isHidden(found.getPath(), given.path()))
              .toList();
    }
  }

  private static void collect(FileSystem system, FileStatus root, List<DataFile> files)
      throws IOException {
    if (root.isFile()) {
      add(root, Map.of(), files);
      return;
    }
    // One listing: object stores have no directories to walk.
    RemoteIterator<LocatedFileStatus> found = system.listFiles(root.getPath(), true);
    Map<List<String>, Map<String, String>> partitions = new HashMap<>();
    while (found.hasNext()) {
      FileStatus file = found.next();
      Deque<String> names = new ArrayDeque<>();
      for (Path path = file.getPath();
          path != null && !path.equals(root.getPath());
          path = path.getParent()) {
        names.addFirst(path.getName());
      }
      if (names.stream().noneMatch(DataFiles::isHidden)) {
        names.removeLast();
        add(file, partitions.computeIfAbsent(List.copyOf(names), DataFiles::partition), files);
      }
    }
  }

  private static void add(FileStatus file, Map<String, String> partition, List<DataFile> files) {
    if (file.getLen() > 0) {
      files.add(
          new DataFile(
              file.getPath().toString(), file.getLen(), file.getModificationTime(), partition));
    }
  }

  private static boolean isHidden(String name) {
    return name.startsWith(".")
        || name.startsWith("_") && !name.contains("=")
        || name.endsWith("._COPYING_");
  }

  /** Whether a match of a pattern is hidden, or in a hidden directory, that the pattern omits. */
  private static boolean isHidden(Path match, Path pattern) {
    String[] names = match.toUri().getPath().split("/");
    String[] patterns = pattern.toUri().getPath().split("/");
    // A slash in braces makes more or fewer names.
    int from = names.length == patterns.length ? 0 : names.length - 1;
    for (int i = from; i < names.length; i++) {
      if (isHidden(names[i]) && !(from == 0 && patterns[i].startsWith(names[i].substring(0, 1)))) {
        return true;
      }
    }
    return false;
  }

  /** The values of directories such as {@code label=1}, of which an inner one hides an outer. */
  private static Map<String, String> partition(List<String> directories) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String name : directories) {
      int equals = name.indexOf('=');
      if (equals > 0) {
        String value = ExternalCatalogUtils.unescapePathName(name.substring(equals + 1));
        values.put(
            ExternalCatalogUtils.unescapePathName(name.substring(0, equals)),
            value.equals(NONE) ? null : value);
      }
    }
    return values;
  }

  /** The bytes of all files. */
  long length() {
    return files.stream().mapToLong(DataFile::length).sum();
  }

  /**
   * The format of the files.
   *
   * @param given empty: that of the first file's extension
   * @throws UserException if it cannot be told, or there are no records
   */
  DataFormat format(Optional<DataFormat> given) {
    if (files.isEmpty()) {
      throw new UserException("Cannot read %s: it contains no records", name);
    }
    return given.orElseGet(() -> DataFormat.ofFile(new Path(files.get(0).path()).getName()));
  }
}
