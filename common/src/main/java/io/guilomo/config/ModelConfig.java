package io.guilomo.config;

import io.guilomo.model.ConstantName;
import io.guilomo.model.UserException;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The pretrained model; {@code guilomo.model}.
 *
 * @param path empty if not given, see {@link #requirePath}
 * @param family {@code auto}, or the name of the family that the model must belong to
 * @param maxLength maximum length of a sequence
 * @param precision of the frozen weights
 */
public record ModelConfig(
    String path, String family, MaxLength maxLength, Pooling pooling, Precision precision) {

  /**
   * How long a sequence may be.
   *
   * @param tokens the given number, or the usual one
   * @param automatic whether none was given, so that a model of fewer positions lowers it
   */
  public record MaxLength(int tokens, boolean automatic) {

    private static final int USUAL = 256;

    static MaxLength of(ConfigSection section) {
      return section.isAuto("max-length")
          ? new MaxLength(USUAL, true)
          : new MaxLength(section.whole("max-length", 1), false);
    }
  }

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
      return ConstantName.of(this);
    }
  }

  /** Number format of frozen weights. */
  public enum Precision {
    FLOAT32(DataType.FLOAT),
    /**
     * Two bytes a weight. GPUs and some processors multiply them faster, with activations rounded
     * to bfloat16 in passes that allow it.
     */
    BFLOAT16(DataType.BFLOAT16),
    /**
     * One byte a weight, and a scale for each output of a linear module and each entry of a table.
     * On processors only; activations are not rounded.
     */
    INT8(DataType.BYTE);

    private final DataType matrices;

    Precision(DataType matrices) {
      this.matrices = matrices;
    }

    /** The type of frozen matrices. */
    public DataType matrices() {
      return matrices;
    }

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  static ModelConfig of(ConfigSection section) {
    return new ModelConfig(
        section.text("path"),
        section.text("family"),
        MaxLength.of(section),
        section.oneOf("pooling", Pooling.class),
        section.oneOf("precision", Precision.class));
  }

  /**
   * The maximum length for a model of this many positions.
   *
   * @throws UserException if a longer one is configured
   */
  public int maxLengthFor(int positions) {
    if (maxLength.tokens() > positions && !maxLength.automatic()) {
      throw new UserException(
          "Cannot use guilomo.model.max-length = %d: %s has %d positions; set it to at most %d",
          maxLength.tokens(), path, positions, positions);
    }
    return Math.min(maxLength.tokens(), positions);
  }

  public String requirePath() {
    return GuilomoConfig.require("model.path", path);
  }
}
