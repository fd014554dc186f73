package io.guilomo.spark.ml;

import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.param.StringArrayParam;

/**
 * Parameters of everything that reads texts: the columns, the model's directory and the
 * configuration.
 *
 * @param <S> what the setters return
 */
public interface ScoringParams<S> extends Params {

  /** The parameters of an object. */
  final class Declared {
    private final Param<String> textCol;
    private final Param<String> secondTextCol;
    private final Param<String> modelPath;
    private final StringArrayParam settings;

    Declared(Params owner) {
      textCol = new Param<>(owner, "textCol", "column of the text");
      secondTextCol =
          new Param<>(
              owner,
              "secondTextCol",
              "column of the second text, for pairs; a row without it is a single text (default:"
                  + " none)");
      modelPath =
          new Param<>(
              owner,
              "modelPath",
              "directory of the pretrained model in Hugging Face's layout; a fitted model finds it"
                  + " where it was when it was trained, unless this says otherwise");
      settings =
          new StringArrayParam(
              owner,
              "settings",
              "other keys of the configuration, each key=value without guilomo., such as"
                  + " lora-moe.target-modules=[query, value] or cluster.workers=4; they hold where"
                  + " no parameter says otherwise");
    }
  }

  /** The parameters that this object has been given when it was made. */
  Declared scoring();

  default Param<String> textCol() {
    return scoring().textCol;
  }

  default Param<String> secondTextCol() {
    return scoring().secondTextCol;
  }

  default Param<String> modelPath() {
    return scoring().modelPath;
  }

  default StringArrayParam settings() {
    return scoring().settings;
  }

  default S setTextCol(String value) {
    return with(textCol(), value);
  }

  default S setSecondTextCol(String value) {
    return with(secondTextCol(), value);
  }

  default S setModelPath(String value) {
    return with(modelPath(), value);
  }

  default S setSettings(String... value) {
    return with(settings(), value);
  }

  /** Sets a parameter. */
  @SuppressWarnings("unchecked")
  default <T> S with(Param<T> param, T value) {
    set(param, value);
    return (S) this;
  }
}
