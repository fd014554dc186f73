package io.guilomo.model;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;

/**
 * A path that a user gave, and its file system. It is a path to its last character: brackets,
 * braces and asterisks stand for themselves, and a colon that no scheme precedes belongs to a name,
 * as in {@code 2024-01-01T10:00/train.jsonl}.
 */
public record UserPath(Path path, FileSystem files) {

  private static final Pattern URI = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:/.*", Pattern.DOTALL);

  /**
   * @throws UserException if the text is no path
   */
  public static Path of(String text) {
    try {
      return isUri(text) ? new Path(text) : new Path(null, null, text);
    } catch (IllegalArgumentException e) {
      throw refuse(text, e);
    }
  }

  /** Whether the text names its file system, such as {@code hdfs://namenode:8020/data}. */
  public static boolean isUri(String text) {
    return URI.matcher(text).matches();
  }

  /**
   * @throws UserException if the text is no path, or its file system is unknown or not there
   */
  public static UserPath open(String text, Configuration conf) {
    Path path = of(text);
    try {
      FileSystem files = path.getFileSystem(conf);
      return new UserPath(files.makeQualified(path), files);
    } catch (IOException | IllegalArgumentException e) {
      throw refuse(text, e);
    }
  }

  /** What an exception of a file system says, in one line. */
  public static String reason(Throwable exception) {
    Throwable root = exception;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String message = root.getMessage();
    String line =
        message == null || message.isBlank()
            ? root.getClass().getSimpleName()
            : message.lines().findFirst().orElse(message).strip();
    if (!isDenied(root)) {
      return line;
    }
    boolean told = line.toLowerCase(Locale.ROOT).contains("denied");
    return line + (told ? "" : ": permission denied") + "; ask its owner, or name another path";
  }

  /** Whether an exception says that a file is there, but not for this user. */
  public static boolean isDenied(Throwable exception) {
    return exception instanceof AccessDeniedException
        || exception instanceof AccessControlException
        || exception instanceof FileNotFoundException
            && String.valueOf(exception.getMessage()).endsWith("(Permission denied)");
  }

  private static UserException refuse(String text, Exception e) {
    return new UserException(
        "Cannot use path " + (text.isEmpty() ? "\"\"" : text) + ": " + reason(e), e);
  }
}
