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
    Throwable reason = reason(exception);
    err.println("error: " + firstLine(reason));
    if (verbose) {
      err.print(ExceptionUtils.getStackTrace(exception));
    }
    return reason instanceof IllegalArgumentException && says(reason)
        ? Main.USER_ERROR
        : Main.FAILED;
  }

  /**
   * The first of the causes that says what could not be done, the exception itself if none does:
   * Spark wraps what its tasks throw.
   */
  private static Throwable reason(Throwable exception) {
    for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
      if (says(cause)) {
        return cause;
      }
    }
    return exception;
  }

  private static boolean says(Throwable exception) {
    return exception.getMessage() != null && exception.getMessage().startsWith("Cannot ");
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
