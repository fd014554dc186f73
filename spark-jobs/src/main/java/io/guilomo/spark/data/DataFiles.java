package io.guilomo.spark.data;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils;

/**
 * The files that a path of the configuration names: a file, a directory and those below it, or what
 * matches a pattern. A path that exists is never taken for a pattern. Files and directories whose
 * names start with {@code _} or {@code .} are left out, as everywhere in Hadoop.
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
        collect(given.files(), root, Map.of(), files);
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
      return matching == null ? List.of() : Arrays.asList(matching);
    }
  }

  private static void collect(
      FileSystem system, FileStatus found, Map<String, String> partition, List<DataFile> files)
      throws IOException {
    if (found.isFile()) {
      if (found.getLen() > 0) {
        files.add(new DataFile(found.getPath().toString(), found.getLen(), partition));
      }
      return;
    }
    for (FileStatus child : system.listStatus(found.getPath())) {
      if (!isHidden(child.getPath().getName())) {
        collect(system, child, child.isFile() ? partition : below(partition, child), files);
      }
    }
  }

  private static boolean isHidden(String name) {
    return name.startsWith(".")
        || name.startsWith("_") && !name.contains("=")
        || name.endsWith("._COPYING_");
  }

  /** The values of a directory such as {@code label=1}, beside those of the ones above it. */
  private static Map<String, String> below(Map<String, String> partition, FileStatus directory) {
    String name = directory.getPath().getName();
    int equals = name.indexOf('=');
    if (equals < 1) {
      return partition;
    }
    Map<String, String> values = new LinkedHashMap<>(partition);
    String value = ExternalCatalogUtils.unescapePathName(name.substring(equals + 1));
    values.put(
        ExternalCatalogUtils.unescapePathName(name.substring(0, equals)),
        value.equals(NONE) ? null : value);
    return values;
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
