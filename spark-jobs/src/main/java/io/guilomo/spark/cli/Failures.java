package io.guilomo.spark.cli;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import picocli.CommandLine.ParameterException;

/** Tells the user in one line why a command failed. */
record Failures(PrintStream err) {

  private static final List<Class<? extends IOException>> REFUSALS =
      List.of(UnsupportedFileSystemException.class, ParentNotDirectoryException.class);

  int ofArguments(ParameterException exception) {
    String message = firstLine(exception);
    err.println(
        "error: "
            + (message.startsWith("Cannot ")
                ? message
                : "Cannot read the command line: " + message));
    return Main.USER_ERROR;
  }

  int ofJob(Exception exception, boolean verbose) {
    UserException mistake = mistake(exception);
    err.println("error: " + (mistake == null ? fault(reason(exception)) : firstLine(mistake)));
    if (verbose) {
      err.print(ExceptionUtils.getStackTrace(exception));
    }
    return mistake == null ? Main.FAILED : Main.USER_ERROR;
  }

  /** What the user can mend: also a file system that refuses what it is asked for. */
  private static UserException mistake(Exception exception) {
    UserException own = ExceptionUtils.throwableOfType(exception, UserException.class);
    if (own != null) {
      return own;
    }
    return ExceptionUtils.getThrowableList(exception).stream()
        .filter(
            cause ->
                UserPath.isDenied(cause)
                    || REFUSALS.stream().anyMatch(refusal -> refusal.isInstance(cause)))
        .findFirst()
        .map(
            refused -> new UserException("Cannot use a file: " + UserPath.reason(refused), refused))
        .orElse(null);
  }

  /** The first cause that is not a mere wrapper: Spark wraps the exceptions of tasks. */
  private static Throwable reason(Throwable exception) {
    Throwable reason = exception;
    while (reason.getCause() != null && carries(reason)) {
      reason = reason.getCause();
    }
    return reason;
  }

  private static boolean carries(Throwable exception) {
    return exception instanceof ExecutionException
        || exception.getClass().getName().startsWith("org.apache.spark.")
        || exception.getCause().toString().equals(exception.getMessage());
  }

  /** A bug is reported with its place in the code, a failure of the environment by its message. */
  private static String fault(Throwable reason) {
    String line = firstLine(reason);
    if (isBug(reason) && reason.getStackTrace().length > 0) {
      return "%s: %s (%s)"
          .formatted(reason.getClass().getSimpleName(), line, reason.getStackTrace()[0]);
    }
    return line.startsWith("Cannot ") || reason.getMessage() == null
        ? line
        : reason.getClass().getSimpleName() + ": " + line;
  }

  private static boolean isBug(Throwable reason) {
    return reason instanceof IllegalArgumentException
        || reason instanceof NullPointerException
        || reason instanceof IndexOutOfBoundsException
        || reason instanceof ClassCastException
        || reason instanceof AssertionError;
  }

  private static String firstLine(Throwable exception) {
    String name = exception.getClass().getSimpleName();
    String message = exception.getMessage();
    return message == null || message.isBlank() ? name : message.lines().findFirst().orElse(name);
  }
}
