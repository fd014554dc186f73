package io.guilomo.spark.run;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A directory that a user named for what a command writes. */
public final class OutputDirectory {

  private static final String KEY = "guilomo.output.dir";

  private OutputDirectory() {}

  /**
   * Creates {@code output.dir} and makes sure that files can be written into it, so that no job
   * works in vain.
   *
   * @throws UserException with the reason if they cannot
   */
  public static void require(String output, Configuration conf) {
    require(KEY, output, conf);
  }

  /**
   * The same for a directory that another option names.
   *
   * @param option that names it
   */
  public static void require(String option, String output, Configuration conf) {
    UserPath given = UserPath.open(output, conf);
    try {
      requireNoFile(option, output, given);
      if (!given.files().mkdirs(given.path())) {
        throw refuse(option, output, "it cannot be created", null);
      }
      probe(given.files(), given.path());
    } catch (IOException e) {
      throw refuse(option, output, UserPath.reason(e), e);
    }
  }

  /**
   * Makes sure that files can be written into {@code output.dir}, or into the directory in which it
   * would be created.
   *
   * @throws UserException with the reason if they cannot, without the name of the key
   */
  public static void check(String output, Configuration conf) {
    UserPath given = UserPath.open(output, conf);
    try {
      requireNoFile(null, output, given);
      Path existing = given.path();
      while (!given.files().exists(existing) && existing.getParent() != null) {
        existing = existing.getParent();
      }
      if (!given.files().getFileStatus(existing).isDirectory()) {
        throw refuse(null, output, existing.toUri().getPath() + " is a file", null);
      }
      probe(given.files(), existing);
    } catch (IOException e) {
      throw refuse(null, output, UserPath.reason(e), e);
    }
  }

  private static void requireNoFile(String option, String output, UserPath given)
      throws IOException {
    if (given.files().exists(given.path())
        && !given.files().getFileStatus(given.path()).isDirectory()) {
      throw refuse(option, output, "it is a file", null);
    }
  }

  /** Creates and deletes a file. */
  private static void probe(FileSystem files, Path directory) throws IOException {
    Path probe = new Path(directory, "_guilomo-probe-" + UUID.randomUUID());
    files.create(probe, false).close();
    if (!files.delete(probe, false)) {
      throw new IOException("Cannot delete " + probe);
    }
  }

  private static UserException refuse(String option, String output, String reason, Exception e) {
    String named = option == null ? output : option + " = " + output;
    return new UserException("Cannot write into " + named + ": " + reason, e);
  }
}
