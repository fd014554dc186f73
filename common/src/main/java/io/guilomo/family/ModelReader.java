package io.guilomo.family;

import io.guilomo.family.Families.Found;
import io.guilomo.family.FrozenTensors.ReadMode;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.SafetensorsModel;
import io.guilomo.io.TensorSource;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.PretrainedClassifier;
import io.guilomo.network.WeightErrors;
import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads pretrained models from directories in Hugging Face's layout, and where the family can do
 * without {@code config.json}, from ONNX files.
 */
public final class ModelReader {

  private static final Logger LOG = LoggerFactory.getLogger(ModelReader.class);

  /**
   * A model whose files have every tensor that it needs.
   *
   * @param unread what else they have
   */
  public record Checked(BackboneConfig config, UnreadTensors unread) {}

  private record Loaded(Backbone backbone, UnreadTensors unread) {}

  /** The weights of a model's directory, whose tensors the family asks {@code files} for. */
  private record Opened(
      ModelDirectory directory, Found found, TensorSource source, FrozenFiles files)
      implements Closeable {

    static Opened of(String uri, Configuration conf) throws IOException {
      ModelDirectory directory = ModelDirectory.open(uri, conf);
      directory.requireWeights();
      Found found = Families.find(directory);
      TensorSource source = directory.tensors();
      return new Opened(
          directory,
          found,
          source,
          new FrozenFiles(directory, source, found.family().paths().base()));
    }

    @Override
    public void close() throws IOException {
      source.close();
    }
  }

  private ModelReader() {}

  /**
   * Loads the model of a directory: {@code model.safetensors}, its shards, or an ONNX file. All
   * values become float32 in the memory of the host.
   *
   * @throws UserException if the directory holds no model that can be run
   */
  public static Backbone load(String uri, Configuration conf) throws IOException {
    return load(uri, conf, FrozenMemory.host());
  }

  /**
   * As {@link #load(String, Configuration)}, into the given memory. No tensor is kept in the host's
   * memory as well.
   *
   * @throws UserException also if the memory cannot hold the type of its matrices
   */
  public static Backbone load(String uri, Configuration conf, FrozenMemory memory)
      throws IOException {
    Loaded loaded = load(uri, conf, ReadMode.VALUES, memory);
    loaded.unread().describe().ifPresent(text -> LOG.info("{}: {}", uri, text));
    WeightErrors errors = loaded.backbone().errors();
    if (!errors.kinds().isEmpty()) {
      LOG.info("{}: {}", uri, errors.describe());
    }
    return loaded.backbone();
  }

  /**
   * What rounding to 8 bits loses of the matrices of a model, without the memory for its values.
   * Everything is read.
   *
   * @throws UserException if {@link #load} would refuse to keep the model so
   */
  public static WeightErrors errors(String uri, Configuration conf) throws IOException {
    return load(uri, conf, ReadMode.ERRORS, null).backbone().errors();
  }

  /**
   * Reads only the shape of a model, and checks that its files have every tensor that it needs, in
   * the right shape. No values are read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static Checked check(String uri, Configuration conf) throws IOException {
    Loaded loaded = load(uri, conf, ReadMode.SHAPES, null);
    return new Checked(loaded.backbone().config(), loaded.unread());
  }

  /**
   * The digest that the model has when it is loaded, without the memory for its values. Everything
   * is read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static String digest(String uri, Configuration conf) throws IOException {
    return load(uri, conf, ReadMode.DIGEST, null).backbone().digest();
  }

  /**
   * Where a classifier over the model can start; null if the checkpoint has no classifier. Reads
   * nothing else.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static PretrainedClassifier classifier(String uri, Configuration conf) throws IOException {
    return load(uri, conf, ReadMode.CLASSIFIER, null).backbone().classifier();
  }

  private static Loaded load(String uri, Configuration conf, ReadMode mode, FrozenMemory memory)
      throws IOException {
    try (Opened opened = Opened.of(uri, conf)) {
      FrozenFiles files = opened.files();
      Backbone shape = read(opened.found(), files, ReadMode.SHAPES, null);
      // Refuses tensors that nobody asks for, before gigabytes are read.
      UnreadTensors unread = files.unread();
      return new Loaded(
          mode == ReadMode.SHAPES ? shape : read(opened.found(), files, mode, memory), unread);
    }
  }

  /**
   * The frozen weight of one module, {@code [out · in]} in row-major order, as float32. Nothing
   * else is read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static float[] weight(String uri, Configuration conf, LinearModule module)
      throws IOException {
    try (Opened opened = Opened.of(uri, conf)) {
      SoughtTensor sought =
          new SoughtTensor(opened.files(), opened.found().family().paths(), module);
      read(opened.found(), sought, ReadMode.SHAPES, null);
      return sought.values();
    }
  }

  /**
   * The files of a model, to be written again. No values are read.
   *
   * @throws UserException if {@link #load} would refuse the directory, or its weights are not
   *     safetensors
   */
  public static StoredModel stored(String uri, Configuration conf) throws IOException {
    Opened opened = Opened.of(uri, conf);
    try {
      if (!(opened.source() instanceof SafetensorsModel weights)) {
        throw new UserException(
            "Cannot merge into %s: its weights are an ONNX file; name its safetensors version with"
                + " --model, or load the adapter with deploy/python",
            uri);
      }
      ModelDirectory directory = opened.directory();
      Found found = opened.found();
      read(found, opened.files(), ReadMode.SHAPES, null);
      opened.files().unread();
      ConfigJson json =
          new ConfigJson(
              directory.json(ModelDirectory.CONFIG), directory.file(ModelDirectory.CONFIG));
      return new StoredModel(
          directory, weights, found.family(), found.config(), json, opened.files().read());
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /** A model of the given shape of tensors from any source, such as random ones. */
  public static Backbone make(
      BackboneConfig config, FrozenTensors.Source source, FrozenMemory memory) throws IOException {
    return read(new Found(Families.family(config), config), source, ReadMode.VALUES, memory);
  }

  private static Backbone read(
      Found model, FrozenTensors.Source source, ReadMode mode, FrozenMemory memory)
      throws IOException {
    FrozenTensors tensors = new FrozenTensors(source, mode, memory);
    try {
      model.family().read(model.config(), tensors);
      return tensors.backbone(model.config());
    } catch (IOException | RuntimeException e) {
      try {
        // A card's memory is freed by nobody else.
        tensors.release();
      } catch (RuntimeException broken) {
        e.addSuppressed(broken);
      }
      throw e;
    }
  }
}
