package io.guilomo.kernel.cuda;

import com.sun.jna.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds CUDA's shared libraries, of whichever of the known versions is there. They are looked for
 * in the directories of the system property {@value #DIRECTORIES}, of the environment variables
 * {@value #VARIABLE} (both separated by colons), {@code CUDA_HOME} and {@code CUDA_PATH}, in {@code
 * /usr/local/cuda*}, in a Python environment that is active, and where the system looks.
 */
final class CudaLibraries {
  static final String DIRECTORIES = "guilomo.cuda.libraries";
  static final String VARIABLE = "GUILOMO_CUDA_LIBRARIES";

  /** Newest first. */
  private static final List<String> VERSIONS = List.of("13", "12", "11.2", "11");

  private CudaLibraries() {}

  /**
   * The driver's library, which comes with the driver and not with a toolkit.
   *
   * @throws UnsatisfiedLinkError if there is none
   */
  static NativeLibrary driver() {
    for (Path directory : given()) {
      Path file = directory.resolve("libcuda.so.1");
      if (Files.exists(file)) {
        return NativeLibrary.getInstance(file.toString());
      }
    }
    return NativeLibrary.getInstance("libcuda.so.1");
  }

  /**
   * A toolkit's library.
   *
   * @param name such as {@code cublas}
   * @param needed names of libraries that it loads by itself, and that the system may not find
   * @throws UnsatisfiedLinkError if there is none of a known version
   */
  static NativeLibrary toolkit(String name, String... needed) {
    List<Path> directories = directories();
    for (String version : VERSIONS) {
      for (Path directory : directories) {
        Path file = directory.resolve("lib" + name + ".so." + version);
        if (Files.exists(file)) {
          for (String other : needed) {
            beginningWith(directory, "lib" + other + ".so.")
                .forEach(path -> NativeLibrary.getInstance(path.toString()));
          }
          return NativeLibrary.getInstance(file.toString());
        }
      }
    }
    for (String version : VERSIONS) {
      try {
        return NativeLibrary.getInstance("lib" + name + ".so." + version);
      } catch (UnsatisfiedLinkError e) {
        // The next version may be there.
      }
    }
    throw new UnsatisfiedLinkError(
        "lib%s.so of CUDA 11 to 13 is in none of %s; set %s"
            .formatted(name, directories, VARIABLE));
  }

  private static List<Path> given() {
    List<Path> paths = new ArrayList<>();
    add(paths, System.getProperty(DIRECTORIES));
    add(paths, System.getenv(VARIABLE));
    return paths;
  }

  private static List<Path> directories() {
    List<Path> paths = given();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      String home = System.getenv(variable);
      if (home != null && !home.isBlank()) {
        paths.add(Path.of(home, "lib64"));
      }
    }
    paths.add(Path.of("/usr/local/cuda/lib64"));
    beginningWith(Path.of("/usr/local"), "cuda-").forEach(path -> paths.add(path.resolve("lib64")));
    String environment = System.getenv("VIRTUAL_ENV");
    if (environment != null) {
      for (Path python : beginningWith(Path.of(environment, "lib"), "python")) {
        for (Path wheel : beginningWith(python.resolve("site-packages/nvidia"), "")) {
          paths.add(wheel.resolve("lib"));
        }
      }
    }
    paths.add(Path.of("/usr/lib/x86_64-linux-gnu"));
    return paths;
  }

  private static void add(List<Path> paths, String list) {
    if (list != null) {
      for (String path : list.split(File.pathSeparator)) {
        if (!path.isBlank()) {
          paths.add(Path.of(path));
        }
      }
    }
  }

  /** In the order of their names, the last first; none where the directory cannot be read. */
  private static List<Path> beginningWith(Path directory, String prefix) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, prefix + "*")) {
        entries.forEach(found::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    found.sort((a, b) -> b.compareTo(a));
    return found;
  }
}
