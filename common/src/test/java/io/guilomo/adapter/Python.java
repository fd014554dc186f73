package io.guilomo.adapter;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs Python for tests. Property {@code guilomo.python} names a Python with PyTorch, by default
 * {@code python3}; what its libraries do not allow is skipped.
 *
 * @param directory for files of the processes
 */
record Python(Path directory) {

  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  /** The package that puts adapters on models. */
  static final Path PACKAGE = ROOT.resolve("deploy/python");

  record Result(int status, String out, String err) {}

  private static String interpreter() {
    return System.getProperty("guilomo.python", "python3");
  }

  /** Skips the test where a module cannot be imported. */
  static void require(String... modules) throws InterruptedException {
    for (String module : modules) {
      boolean there;
      try {
        there =
            new ProcessBuilder(interpreter(), "-c", "import " + module)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor()
                == 0;
      } catch (IOException e) {
        there = false;
      }
      assumeTrue(there, () -> "skipped: " + interpreter() + " has no " + module);
    }
  }

  /** A process that reaches no network and writes nothing beside the sources. */
  ProcessBuilder process(List<String> arguments) {
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(Stream.of(interpreter()), arguments.stream()).toList());
    builder.environment().put("PYTHONPATH", PACKAGE.toString());
    builder.environment().put("PYTHONPYCACHEPREFIX", directory.resolve("pycache").toString());
    builder.environment().put("HF_HUB_OFFLINE", "1");
    builder.environment().put("OMP_NUM_THREADS", "1");
    return builder;
  }

  Result run(String... arguments) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    int status =
        process(List.of(arguments))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start()
            .waitFor();
    return new Result(status, Files.readString(out), Files.readString(err));
  }
}
