package io.guilomo.data;

import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Optional;

/** Converts records to token ids and labels. */
public final class RecordEncoder {

  private final TextEncoder encoder;
  private final Options options;

  /** Null for classification. */
  private final PromptEncoder prompts;

  /**
   * @param maxLength maximum number of tokens of an example
   * @param trainOnInputs whether to train on the prompt as well
   * @param template null for classification
   * @param labels null for all tasks but classification
   */
  public record Options(
      int maxLength, boolean trainOnInputs, PromptTemplate template, LabelSet labels)
      implements Serializable {

    public Options {
      if (maxLength < 4) {
        throw new UserException(
            "Cannot truncate examples to %d tokens: at least 4 are needed", maxLength);
      }
    }

    public static Options causal(int maxLength, boolean trainOnInputs, PromptTemplate template) {
      return new Options(maxLength, trainOnInputs, template, null);
    }

    public static Options classification(int maxLength, LabelSet labels) {
      return new Options(maxLength, false, null, labels);
    }
  }

  /**
   * What became of a record.
   *
   * @param example empty if truncation left nothing to learn from
   * @param truncated whether tokens were cut off
   */
  public record Outcome(Optional<Example> example, boolean truncated) {}

  public RecordEncoder(TextEncoder encoder, Options options) {
    this.encoder = encoder;
    this.options = options;
    this.prompts =
        options.template() == null ? null : new PromptEncoder(encoder, options.template());
  }

  /**
   * An example to learn from.
   *
   * @throws UserException if the record has no target, an unknown label, or belongs to another task
   */
  public Outcome encode(TextRecord record) {
    if (record instanceof TextRecord.Labelled labelled) {
      if (labelled.label() == null) {
        throw new UserException("Cannot learn from a record without a label");
      }
      return classified(labelled, labels().index(labelled.label()));
    }
    Optional<PromptEncoder.Learned> conversation = prompts().learned(record);
    if (conversation.isPresent()) {
      return outcome(conversation.get());
    }
    TextRecord.Instruction instruction = PromptTemplate.instruction(record);
    if (instruction.output().isEmpty()) {
      throw new UserException(
          "Cannot learn from a record without an output"
              + (instruction.answer() == null
                  ? ""
                  : ": data.columns.output=answer would learn its answer"));
    }
    return causal(instruction);
  }

  /**
   * The input for a prediction, without labels. A prompt is not truncated, because its end asks for
   * the response; the caller compares its length with the model's.
   */
  public Outcome encodeInput(TextRecord record) {
    if (record instanceof TextRecord.Labelled labelled) {
      return classified(labelled, TokenBatch.IGNORED);
    }
    int[] tokens = prompts().prompt(record);
    int[] ignored = new int[tokens.length];
    Arrays.fill(ignored, TokenBatch.IGNORED);
    return new Outcome(Optional.of(new Example(tokens, new int[tokens.length], ignored)), false);
  }

  private Outcome causal(TextRecord.Instruction record) {
    int[] whole = encoder.encode(options.template().text(record));
    int[] tokens = Arrays.copyOf(whole, Math.min(whole.length, options.maxLength()));
    boolean truncated = tokens.length < whole.length;
    if (tokens.length < options.maxLength()
        && encoder.eos().isPresent()
        && tokens[tokens.length - 1] != encoder.eos().getAsInt()) {
      tokens = Arrays.copyOf(tokens, tokens.length + 1);
      tokens[tokens.length - 1] = encoder.eos().getAsInt();
    }
    int[] labels = tokens.clone();
    if (!options.trainOnInputs()) {
      Arrays.fill(labels, 0, promptLength(record, tokens), TokenBatch.IGNORED);
    }
    return outcome(tokens, labels, truncated);
  }

  /** A conversation ends as its template writes it, so no end of the sequence is added. */
  private Outcome outcome(PromptEncoder.Learned conversation) {
    int[] whole = conversation.tokens();
    int[] labels = options.trainOnInputs() ? whole.clone() : conversation.labels();
    int length = whole.length;
    while (length > 1 && labels[length - 1] == TokenBatch.IGNORED) {
      length--;
    }
    int kept = Math.min(length, options.maxLength());
    return outcome(Arrays.copyOf(whole, kept), Arrays.copyOf(labels, kept), kept < length);
  }

  private static Outcome outcome(int[] tokens, int[] labels, boolean truncated) {
    // The model predicts each label from the preceding token: a label at position 0 has no effect.
    boolean learnable = false;
    for (int t = 1; t < labels.length; t++) {
      learnable |= labels[t] != TokenBatch.IGNORED;
    }
    return learnable
        ? new Outcome(Optional.of(new Example(tokens, new int[tokens.length], labels)), truncated)
        : new Outcome(Optional.empty(), truncated);
  }

  /**
   * Number of leading tokens shared with the prompt alone: a token that spans prompt and response
   * belongs to the response.
   */
  private int promptLength(TextRecord.Instruction record, int[] tokens) {
    int[] prompt = encoder.encode(options.template().prompt(record));
    int difference = Arrays.mismatch(prompt, tokens);
    return difference < 0 ? tokens.length : difference;
  }

  /**
   * One text or two as the tokenizer frames them; the longer one is truncated first, as in Hugging
   * Face's tokenizers.
   */
  private Outcome classified(TextRecord.Labelled record, int label) {
    int[] first;
    int[] second;
    if (record instanceof TextRecord.SentencePair pair) {
      first = encoder.encodeBare(pair.first());
      second = encoder.encodeBare(pair.second());
    } else {
      first = encoder.encodeBare(((TextRecord.Sentence) record).text());
      second = new int[0];
    }
    Frame frame = encoder.frame(record instanceof TextRecord.SentencePair);
    int room = Math.max(0, options.maxLength() - frame.special());
    int a = first.length;
    int b = second.length;
    boolean truncated = a + b > room;
    while (a + b > room) {
      if (a > b) {
        a--;
      } else {
        b--;
      }
    }
    if (frame.special() + a + b == 0) {
      throw new UserException("Cannot classify a text without tokens");
    }
    Example example = frame.around(Arrays.copyOf(first, a), Arrays.copyOf(second, b));
    example.labels()[0] = label;
    return new Outcome(Optional.of(example), truncated);
  }

  private PromptEncoder prompts() {
    if (prompts == null) {
      throw new UserException("Cannot classify an instruction: expected a sentence with a label");
    }
    return prompts;
  }

  private LabelSet labels() {
    if (options.labels() == null) {
      throw new UserException(
          "Cannot learn a response from a labelled sentence: expected an instruction");
    }
    return options.labels();
  }
}
