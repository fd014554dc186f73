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

  /** Which state of a sequence a classifier reads. */
  public enum Pooling {
    /**
     * {@link #HEAD} if the checkpoint has one; else an encoder's {@link #MEAN}, a decoder's {@link
     * #LAST}.
     */
    AUTO,
    /**
     * What the last linear layer of the checkpoint's own sequence-classification head reads: its
     * pooled state, behind the head's frozen layers.
     */
    HEAD,
    /** The mean over the tokens. */
    MEAN,
    /** That of the first token. */
    CLS,
    /** That of the last token, which alone has seen all others of a decoder. */
    LAST;

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
