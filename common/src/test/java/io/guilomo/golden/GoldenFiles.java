package io.guilomo.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.io.SafetensorsFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Assumptions;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Vectors computed with the released GuiLoMo code, which tests compare with. They are not part of
 * this project: system property {@code guilomo.golden} names their directory, by default {@code
 * shared/golden} beside the project. Tests that need them are skipped where they are absent.
 */
public final class GoldenFiles {

  private static final String PROPERTY = "guilomo.golden";
  private static final ObjectMapper JSON = new ObjectMapper();

  private GoldenFiles() {}

  /** The directory of the vectors, present or not. */
  public static Path root() {
    String given = System.getProperty(PROPERTY);
    if (given != null && !given.isBlank()) {
      Path path = Path.of(given);
      // Maven starts tests in the module's directory, the property is relative to the project's.
      return Files.exists(path) || path.isAbsolute() ? path : Path.of("..").resolve(path);
    }
    Path fromModule = Path.of("../../shared/golden");
    return Files.isDirectory(fromModule) ? fromModule : Path.of("../shared/golden");
  }

  /** A golden file or folder; skips the running test where it is absent. */
  public static Path require(String relative) {
    return present(root().resolve(relative));
  }

  /** Small real models, beside the vectors; skips the running test where they are absent. */
  public static Path models() {
    return present(root().resolveSibling("models"));
  }

  /** Real training data, beside the vectors; skips the running test where it is absent. */
  public static Path data() {
    return present(root().resolveSibling("data"));
  }

  /** Inputs that people who do this job have reported; skips where they are absent. */
  public static Path cases() {
    return present(root().resolveSibling("cases"));
  }

  private static Path present(Path path) {
    Assumptions.assumeTrue(Files.exists(path), () -> "skipped: " + path + " is not here");
    return path;
  }

  /**
   * The files of a golden folder that match {@code glob}, sorted by name; skips where the folder is
   * absent.
   */
  public static List<Path> list(String folder, String glob) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(require(folder), glob)) {
      stream.forEach(files::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Collections.sort(files);
    return files;
  }

  /** The floating tensors of a safetensors file. */
  public static Map<String, INDArray> tensors(Path path) {
    try (SafetensorsFile file = open(path)) {
      Map<String, INDArray> tensors = new LinkedHashMap<>();
      for (String name : file.names()) {
        if (!file.dtype(name).startsWith("I")) {
          tensors.put(name, file.read(name));
        }
      }
      return tensors;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The integer tensors of a safetensors file, flattened row by row. */
  public static Map<String, long[]> longs(Path path) {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
      long length = read(file, 0, Long.BYTES).getLong();
      JsonNode header = JSON.readTree(read(file, Long.BYTES, length).array());
      Map<String, long[]> tensors = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> tensor : header.properties()) {
        boolean wide = tensor.getValue().path("dtype").asText().equals("I64");
        if (wide || tensor.getValue().path("dtype").asText().equals("I32")) {
          long begin = tensor.getValue().get("data_offsets").get(0).asLong();
          long end = tensor.getValue().get("data_offsets").get(1).asLong();
          ByteBuffer values = read(file, Long.BYTES + length + begin, end - begin);
          long[] longs = new long[(int) (end - begin) / (wide ? Long.BYTES : Integer.BYTES)];
          Arrays.setAll(longs, i -> wide ? values.getLong() : values.getInt());
          tensors.put(tensor.getKey(), longs);
        }
      }
      return tensors;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ByteBuffer read(RandomAccessFile file, long position, long length)
      throws IOException {
    byte[] bytes = new byte[Math.toIntExact(length)];
    file.seek(position);
    file.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Opens a safetensors file of the local disk, for shapes and single tensors. */
  public static SafetensorsFile open(Path path) throws IOException {
    return SafetensorsFile.open(new org.apache.hadoop.fs.Path(path.toUri()), new Configuration());
  }

  /**
   * The JSON beside a safetensors file: {@code X.json} of {@code X.safetensors}, else its folder's
   * index.
   */
  public static JsonNode json(Path safetensors) {
    String name = safetensors.getFileName().toString();
    Path own = safetensors.resolveSibling(name.replaceFirst("\\.safetensors$", ".json"));
    return parse(Files.exists(own) ? own : present(safetensors.resolveSibling("index.f32.json")));
  }

  /**
   * A file's entry in the list {@code kind} of its folder's index; its own JSON where it has one.
   */
  public static JsonNode entry(Path safetensors, String kind) {
    JsonNode json = json(safetensors);
    if (!json.has(kind)) {
      return json;
    }
    for (JsonNode entry : json.get(kind)) {
      if (entry.path("file").asText().endsWith("/" + safetensors.getFileName())) {
        return entry;
      }
    }
    throw new AssertionError("no entry for " + safetensors);
  }

  /** A JSON file. */
  public static JsonNode parse(Path json) {
    try {
      return JSON.readTree(json.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The largest difference, relative to the largest entry of {@code expected}; absolute where that
   * is zero.
   */
  public static double relativeError(INDArray actual, INDArray expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    float[] actuals = actual.dup('c').data().asFloat();
    float[] expecteds = expected.dup('c').data().asFloat();
    double difference = 0;
    double largest = 0;
    for (int i = 0; i < expecteds.length; i++) {
      double error = Math.abs((double) actuals[i] - expecteds[i]);
      if (!(error <= difference)) {
        difference = Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
      }
      largest = Math.max(largest, Math.abs((double) expecteds[i]));
    }
    return largest == 0 ? difference : difference / largest;
  }

  /** Fails if {@link #relativeError} is above {@code tolerance}; returns it. */
  public static double assertClose(
      String name, INDArray actual, INDArray expected, double tolerance) {
    double error = relativeError(actual, expected);
    assertThat(error).as("relative error of %s", name).isLessThanOrEqualTo(tolerance);
    return error;
  }

  /** Prints how far a test was from a golden file. */
  public static void report(String file, double largestRelativeError) {
    System.out.printf("golden %s: largest error %.3g%n", file, largestRelativeError);
  }
}
