package io.guilomo.spark.cli;

import java.io.PrintStream;
import org.apache.commons.lang3.exception.ExceptionUtils;
import picocli.CommandLine.ParameterException;

/** Tells the user, on one line, why a command ended without success. */
record Failures(PrintStream err) {

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
    String mistake = mistake(exception);
    err.println("error: " + (mistake == null ? firstLine(exception) : mistake));
    if (verbose) {
      err.print(ExceptionUtils.getStackTrace(exception));
    }
    return mistake == null ? Main.FAILED : Main.USER_ERROR;
  }

  /**
   * The message of the user's mistake among the causes, null if it was none: Spark wraps what its
   * tasks throw.
   */
  private static String mistake(Throwable exception) {
    for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
      if (cause instanceof IllegalArgumentException
          && cause.getMessage() != null
          && cause.getMessage().startsWith("Cannot ")) {
        return firstLine(cause);
      }
    }
    return null;
  }

  private static String firstLine(Throwable exception) {
    String name = exception.getClass().getSimpleName();
    String message = exception.getMessage();
    if (message == null || message.isBlank()) {
      return name;
    }
    String line = message.lines().findFirst().orElse(name);
    boolean plain = line.startsWith("Cannot ") || exception instanceof ParameterException;
    return plain ? line : name + ": " + line;
  }
}
