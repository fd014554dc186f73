package io.guilomo.inference;

import io.guilomo.data.PromptEncoder;
import io.guilomo.data.TextRecord;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.lang3.ArrayUtils;

/**
 * A prompt and the responses to compare, as token ids.
 *
 * @param prompt at least one token
 * @param responses at least one, of at least one token
 */
public record Choices(int[] prompt, List<int[]> responses) implements Serializable {

  public Choices {
    responses = List.copyOf(responses);
    if (prompt.length == 0
        || responses.isEmpty()
        || responses.stream().anyMatch(response -> response.length == 0)) {
      throw new UserException(
          "Cannot compare responses of %s tokens to a prompt of %d: expected at least 1 each",
          responses.stream().map(response -> response.length).toList(), prompt.length);
    }
  }

  /**
   * The responses for the choices of a question, without an end-of-sequence token. As in training,
   * a token that spans prompt and response belongs to the response.
   */
  public static Choices of(TextRecord.MultipleChoice record, PromptEncoder prompts) {
    List<TextRecord.Instruction> candidates = record.candidates();
    PromptEncoder encoder = prompts.atOneTime();
    int[] prompt = encoder.prompt(candidates.get(0));
    List<int[]> texts = candidates.stream().map(encoder::text).toList();
    int length = texts.stream().mapToInt(text -> common(prompt, text)).min().orElseThrow();
    return new Choices(
        Arrays.copyOf(prompt, length),
        texts.stream().map(text -> Arrays.copyOfRange(text, length, text.length)).toList());
  }

  /**
   * The response of an instruction or a conversation, without an end-of-sequence token; empty if it
   * has none.
   */
  public static Optional<Choices> ofResponse(TextRecord record, PromptEncoder prompts) {
    if (!prompts.hasResponse(record)) {
      return Optional.empty();
    }
    PromptEncoder encoder = prompts.atOneTime();
    int[] text = encoder.text(record);
    int length = common(encoder.prompt(record), text);
    if (length == 0 || length == text.length) {
      return Optional.empty();
    }
    return Optional.of(
        new Choices(
            Arrays.copyOf(text, length), List.of(Arrays.copyOfRange(text, length, text.length))));
  }

  /**
   * A text of prompt and correct response, all of which but its first token is to be scored; empty
   * if there is no such response.
   */
  static Optional<Choices> ofText(TextRecord record, PromptEncoder prompts) {
    Optional<Choices> response =
        record instanceof TextRecord.MultipleChoice question
            ? Optional.of(question)
                .filter(asked -> asked.rightChoice() >= 0)
                .map(asked -> asked.candidates().get(asked.rightChoice()))
                .flatMap(right -> ofResponse(right, prompts))
            : ofResponse(record, prompts);
    return response.map(
        own -> {
          int[] text = ArrayUtils.addAll(own.prompt, own.responses.get(0));
          return new Choices(
              Arrays.copyOf(text, 1), List.of(Arrays.copyOfRange(text, 1, text.length)));
        });
  }

  /**
   * Number of tokens of the prompt and its longest response: positions that the model must have.
   */
  public int longest() {
    return prompt.length + responses.stream().mapToInt(response -> response.length).max().orElse(0);
  }

  /** Length of the common prefix of all responses. */
  int shared() {
    int[] first = responses.get(0);
    return responses.stream().mapToInt(response -> common(first, response)).min().orElseThrow();
  }

  private static int common(int[] one, int[] other) {
    int mismatch = Arrays.mismatch(one, other);
    return mismatch < 0 ? one.length : mismatch;
  }
}
