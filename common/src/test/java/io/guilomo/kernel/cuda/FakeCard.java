package io.guilomo.kernel.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A card for machines without one: stand-ins for CUDA's libraries, built by g++ from {@code
 * src/test/cuda}, which run the same kernels on the processor. The host cannot read their memory.
 * With {@code -Dguilomo.test.card=real} tests take the machine's own card.
 */
public final class FakeCard {
  private static final Path SOURCES = Path.of("src/test/cuda").toAbsolutePath();
  private static final Path LIBRARIES = Path.of("target/fake-card").toAbsolutePath();

  private FakeCard() {}

  /** Whether tests run on the machine's own card. */
  public static boolean real() {
    return System.getProperty("guilomo.test.card", "fake").equals("real");
  }

  /**
   * Makes this process see the fake card; call it before anything of CUDA is touched. Tests that
   * need it are skipped where there is no g++.
   */
  public static synchronized void insert() {
    if (real() || System.getProperty(CudaLibraries.DIRECTORIES) != null) {
      return;
    }
    build(SOURCES, LIBRARIES);
    System.setProperty(CudaLibraries.DIRECTORIES, LIBRARIES.toString());
    System.setProperty(KernelModules.CACHE, LIBRARIES.resolve("kernels").toString());
  }

  /**
   * Builds the libraries; the running test is skipped where there is no g++.
   *
   * @param sources the directory {@code common/src/test/cuda}
   * @param libraries where they are put
   */
  public static synchronized void build(Path sources, Path libraries) {
    assumeTrue(
        Files.isDirectory(sources) && compiler(),
        "needs g++ for the stand-ins of CUDA's libraries");
    try (FileChannel lock = lock(libraries);
        FileLock held = lock.lock()) {
      Path log = Files.createTempFile("fake-card", ".log");
      Process build =
          new ProcessBuilder("sh", sources.resolve("build.sh").toString(), libraries.toString())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      if (build.waitFor() != 0) {
        throw new IllegalStateException("cannot build the fake card: " + Files.readString(log));
      }
      Files.delete(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Tests of several virtual machines run at once. */
  private static FileChannel lock(Path libraries) throws IOException {
    Files.createDirectories(libraries);
    return FileChannel.open(
        libraries.resolve("build.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static boolean compiler() {
    try {
      return new ProcessBuilder("g++", "--version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
