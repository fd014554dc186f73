package io.guilomo.config;

import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The pretrained model; {@code guilomo.model}.
 *
 * @param path empty if not given, see {@link #requirePath}
 * @param family {@code auto}, or the name of the family that the model must belong to
 * @param maxLength maximum length of a sequence, in tokens
 * @param precision of the frozen weights
 */
public record ModelConfig(
    String path, String family, int maxLength, Pooling pooling, Precision precision) {

  /** How a classifier pools the output of an encoder. */
  public enum Pooling {
    MEAN,
    CLS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Number format of frozen weights. */
  public enum Precision {
    FLOAT32,
    /** Takes half the memory, and GPUs multiply it several times as fast. */
    BFLOAT16;

    /** The type of frozen matrices. */
    public DataType matrices() {
      return this == BFLOAT16 ? DataType.BFLOAT16 : DataType.FLOAT;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static ModelConfig of(ConfigSection section) {
    return new ModelConfig(
        section.text("path"),
        section.text("family"),
        section.whole("max-length", 1),
        section.oneOf("pooling", Pooling.class),
        section.oneOf("precision", Precision.class));
  }

  public String requirePath() {
    return GuilomoConfig.require("model.path", path);
  }
}
