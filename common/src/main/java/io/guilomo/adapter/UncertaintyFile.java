package io.guilomo.adapter;

import io.guilomo.io.FloatMemory;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.io.StoredTensor;
import io.guilomo.io.TensorType;
import io.guilomo.model.UserException;
import io.guilomo.uncertainty.HeadLaplace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.Path;

/**
 * What says how far an adapter is to be trusted, in a file beside it: of a classifier the {@link
 * HeadLaplace} of its head, of a language model the temperature of its choices. It belongs to the
 * tensors whose digest it holds.
 */
public final class UncertaintyFile {

  /** The name of the file in the adapter's directory. */
  public static final String NAME = "uncertainty.safetensors";

  private static final String ADAPTER = "adapter";
  private static final String FORMAT = "format";

  /** Files of earlier formats are made anew. */
  private static final String CURRENT = "2";

  private static final String INPUT_VALUES = "input-values";
  private static final String INPUT_VECTORS = "input-vectors";
  private static final String OUTPUT_VALUES = "output-values";
  private static final String OUTPUT_VECTORS = "output-vectors";
  private static final String REST_VARIANCES = "rest-variances";

  /** Prior precision, logarithm of the evidence. */
  private static final String FIT = "fit";

  private static final String TEMPERATURE = "temperature";

  /** Share of the adapter's size that the file may have, where it can. */
  private static final int SHARE = 100;

  /** About what the header takes, in numbers. */
  private static final int HEADER = 160;

  private final Path directory;
  private final Configuration conf;

  /**
   * @param directory of the adapter
   */
  public UncertaintyFile(Path directory, Configuration conf) {
    this.directory = directory;
    this.conf = conf;
  }

  /**
   * Eigenvectors that a file of at most a hundredth of the adapter's size has room for; at least 1.
   *
   * @param features of the head's input, the bias's included
   */
  public static int rank(Adapter adapter, int features) {
    int classes = adapter.description().labels().size();
    long numbers = adapter.bytes() / SHARE / Float.BYTES - HEADER - classes * (classes + 2L);
    return (int) Math.max(1, Math.min(features, numbers / (features + 1)));
  }

  /**
   * Whether the file is there, in the current format, and belongs to an adapter.
   *
   * @param digest of the adapter's tensors
   * @throws UserException if it is damaged
   */
  public boolean isOf(String digest) throws IOException {
    if (!path().getFileSystem(conf).exists(path())) {
      return false;
    }
    return read(
        file ->
            CURRENT.equals(file.metadata().get(FORMAT))
                && digest.equals(file.metadata().get(ADAPTER)));
  }

  /**
   * Replaces the file. The earlier one stays until the new one is complete.
   *
   * @param digest of the adapter's tensors
   */
  public void write(HeadLaplace laplace, String digest) throws IOException {
    Map<String, double[][]> tensors = new LinkedHashMap<>();
    tensors.put(INPUT_VALUES, new double[][] {laplace.inputValues()});
    tensors.put(INPUT_VECTORS, laplace.inputVectors());
    tensors.put(OUTPUT_VALUES, new double[][] {laplace.outputValues()});
    tensors.put(OUTPUT_VECTORS, laplace.outputVectors());
    tensors.put(REST_VARIANCES, new double[][] {laplace.restVariances()});
    tensors.put(FIT, new double[][] {{laplace.priorPrecision(), laplace.logEvidence()}});
    write(tensors, digest);
  }

  /** The same with the temperature of the choices of a language model. */
  public void write(double temperature, String digest) throws IOException {
    write(Map.of(TEMPERATURE, new double[][] {{temperature}}), digest);
  }

  private void write(Map<String, double[][]> tensors, String digest) throws IOException {
    List<StoredTensor> stored = new ArrayList<>();
    tensors.forEach(
        (name, rows) -> {
          long[] shape = {rows.length, rows[0].length};
          byte[] bytes = bytes(rows);
          stored.add(new StoredTensor(name, TensorType.F32, shape, out -> out.write(bytes)));
        });
    try (ExportDirectory export = new ExportDirectory(directory, conf)) {
      SafetensorsWriter.write(
          export.stage(NAME), conf, stored, Map.of(ADAPTER, digest, FORMAT, CURRENT));
      export.commit();
    }
  }

  private static byte[] bytes(double[][] rows) {
    double[] all = Stream.of(rows).flatMapToDouble(Arrays::stream).toArray();
    float[] floats = new float[all.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) all[i];
    }
    return TensorType.F32.bytes(floats, floats.length);
  }

  /**
   * The approximation of a classifier's head.
   *
   * @param hidden features of the head's input, without a bias's
   * @throws UserException if the file is damaged, or one of another head
   */
  public HeadLaplace laplace(AdapterDescription description, int hidden) throws IOException {
    return read(file -> laplace(file, description, hidden));
  }

  private HeadLaplace laplace(SafetensorsFile file, AdapterDescription description, int hidden)
      throws IOException {
    boolean biased = !description.paths().causal();
    int features = hidden + (biased ? 1 : 0);
    int classes = description.labels().size();
    int rank = (int) Math.min(features, shape(file, INPUT_VECTORS)[0]);
    double[][] vectors = rows(file, INPUT_VECTORS, rank, features);
    double[] fit = rows(file, FIT, 1, 2)[0];
    HeadLaplace laplace =
        new HeadLaplace(
            biased,
            rows(file, INPUT_VALUES, 1, rank)[0],
            vectors,
            rows(file, OUTPUT_VALUES, 1, classes)[0],
            rows(file, OUTPUT_VECTORS, classes, classes),
            rows(file, REST_VARIANCES, 1, classes)[0],
            fit[0],
            fit[1]);
    requireNotBelow(0, INPUT_VALUES, laplace.inputValues());
    requireNotBelow(0, OUTPUT_VALUES, laplace.outputValues());
    requireNotBelow(0, REST_VARIANCES, laplace.restVariances());
    requireNotBelow(Float.MIN_NORMAL, FIT, fit[0]);
    return laplace;
  }

  /**
   * The temperature of a language model's choices.
   *
   * @throws UserException if the file is damaged
   */
  public double temperature() throws IOException {
    return read(
        file -> {
          double temperature = rows(file, TEMPERATURE, 1, 1)[0][0];
          requireNotBelow(Float.MIN_NORMAL, TEMPERATURE, temperature);
          return temperature;
        });
  }

  /** Reads something of an open file. */
  @FunctionalInterface
  private interface Reading<T> {
    T of(SafetensorsFile file) throws IOException;
  }

  private <T> T read(Reading<T> reading) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path(), conf)) {
      return reading.of(file);
    } catch (ChecksumException e) {
      throw refused(e.getMessage());
    }
  }

  private double[][] rows(SafetensorsFile file, String name, int rows, int columns)
      throws IOException {
    if (!Arrays.equals(shape(file, name), new long[] {rows, columns})) {
      throw refused(
          "tensor %s has shape %s, expected [%d, %d]"
              .formatted(name, Arrays.toString(shape(file, name)), rows, columns));
    }
    float[] all = new float[Math.multiplyExact(rows, columns)];
    FloatMemory.of(file.read(name)).get(0, all, all.length);
    double[][] read = new double[rows][columns];
    for (int i = 0; i < all.length; i++) {
      if (!Float.isFinite(all[i])) {
        throw refused("tensor %s has the value %s".formatted(name, all[i]));
      }
      read[i / columns][i % columns] = all[i];
    }
    return read;
  }

  private long[] shape(SafetensorsFile file, String name) {
    if (!file.names().contains(name)) {
      throw refused("it has no tensor " + name);
    }
    long[] shape = file.shape(name);
    if (shape.length != 2 || shape[0] < 1 || shape[0] > Integer.MAX_VALUE - 1) {
      throw refused("tensor %s has shape %s".formatted(name, Arrays.toString(shape)));
    }
    return shape;
  }

  private void requireNotBelow(double least, String name, double... values) {
    for (double value : values) {
      if (value < least) {
        throw refused("tensor %s has the value %s".formatted(name, value));
      }
    }
  }

  private Path path() {
    return new Path(directory, NAME);
  }

  private UserException refused(String why) {
    return new UserException(
        "Cannot read %s: %s; delete the file, the next evaluation makes it anew", path(), why);
  }
}
