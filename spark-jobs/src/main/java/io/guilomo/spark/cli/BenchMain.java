package io.guilomo.spark.cli;

import java.io.FileDescriptor;
import java.io.PrintStream;
import picocli.CommandLine;

/**
 * The command {@code bench} on its own, without {@code --scaling}, for machines that have only the
 * engine and no Spark on the class path.
 */
public final class BenchMain {

  private BenchMain() {}

  public static void main(String[] args) {
    PrintStream out = Main.utf8(FileDescriptor.out);
    PrintStream err = Main.utf8(FileDescriptor.err);
    JobRunner runner = new JobRunner(null, out, err, System.console() != null);
    CommandLine line = new CommandLine(new BenchCommand(runner, Main.BENCH, null));
    System.exit(Main.execute(line, args, out, err));
  }
}
