package io.guilomo.kernel.cuda;

import static java.util.regex.Matcher.quoteReplacement;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernels of this package's {@code .cu} files, compiled for the card when they are first needed
 * and kept on disk for the next process.
 */
final class KernelModules {
  /** System property: the directory of compiled kernels. */
  static final String CACHE = "guilomo.cuda.cache";

  private static final Logger LOG = LoggerFactory.getLogger(KernelModules.class);
  private static final String SHARED = "device.cuh";
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"(.+)\"$");

  private final CudaDevice device;
  private final Map<String, Long> modules = new HashMap<>();
  private final Map<String, Map<String, Long>> functions = new HashMap<>();

  KernelModules(CudaDevice device) {
    this.device = device;
  }

  /**
   * A kernel's handle.
   *
   * @param module name of the file without its extension
   * @param definitions macros such as {@code HEAD_DIM=64}, divided by spaces, or empty
   */
  long function(String module, String definitions, String kernel) {
    Map<String, Long> known =
        functions.computeIfAbsent(
            definitions.isEmpty() ? module : module + " " + definitions, key -> new HashMap<>());
    Long function = known.get(kernel);
    if (function == null) {
      long[] found = new long[1];
      Driver.check(
          Driver.cuModuleGetFunction(found, module(module, definitions), kernel),
          "cuModuleGetFunction of " + kernel);
      function = found[0];
      known.put(kernel, function);
    }
    return function;
  }

  private long module(String name, String definitions) {
    return modules.computeIfAbsent(name + " " + definitions, key -> loaded(name, definitions));
  }

  private long loaded(String name, String definitions) {
    device.use();
    String source = text(SHARED) + "\n" + text(name + ".cu");
    String[] options =
        Stream.concat(
                Stream.of("--gpu-architecture=sm_" + device.capability(), "--std=c++14"),
                Stream.of(definitions.split(" ")).filter(each -> !each.isEmpty()).map("-D"::concat))
            .toArray(String[]::new);
    Path cached = cacheFile(name, source, options);
    long[] module = new long[1];
    byte[] image = read(cached);
    if (image != null && Driver.cuModuleLoadData(module, image) == 0) {
      return module[0];
    }
    long start = System.nanoTime();
    image = Nvrtc.compile(source, name + ".cu", options);
    LOG.info(
        "compiled {} for sm_{} in {} ms",
        name,
        device.capability(),
        (System.nanoTime() - start) / 1_000_000);
    Driver.check(Driver.cuModuleLoadData(module, image), "cuModuleLoadData of " + name);
    keep(image, cached);
    return module[0];
  }

  /** A file, with those that it includes in their places. */
  private static String text(String file) {
    try (InputStream in = KernelModules.class.getResourceAsStream(file)) {
      String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return INCLUDE.matcher(source).replaceAll(found -> quoteReplacement(text(found.group(1))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path cacheFile(String name, String source, String... options) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(source.getBytes(StandardCharsets.UTF_8));
      digest.update(Arrays.toString(options).getBytes(StandardCharsets.UTF_8));
      digest.update(Nvrtc.version().getBytes(StandardCharsets.UTF_8));
      Path directory =
          Path.of(
              System.getProperty(
                  CACHE, System.getProperty("user.home") + "/.cache/guilomo/kernels"));
      return directory.resolve(name + "-" + HexFormat.of().formatHex(digest.digest(), 0, 12));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Null where there is nothing to read. */
  private static byte[] read(Path file) {
    try {
      return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
    } catch (IOException e) {
      LOG.warn("cannot read the compiled kernels in {}: {}", file, e.toString());
      return null;
    }
  }

  /** A cache that cannot be written costs the next process some seconds and nothing else. */
  private static void keep(byte[] image, Path file) {
    try {
      Files.createDirectories(file.getParent());
      Path temporary = Files.createTempFile(file.getParent(), "kernels", ".tmp");
      Files.write(temporary, image);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.info("cannot keep compiled kernels in {}: {}", file, e.toString());
    }
  }
}
