package io.guilomo.inference;

import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextDecoder;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;

/**
 * Extracts the text and the answer from generated tokens.
 *
 * @param stops texts that end a response and do not belong to it
 */
public record ResponseReader(TextDecoder decoder, PromptTemplate template, List<String> stops) {

  /**
   * A response as text.
   *
   * @param text without special tokens, up to the first stop text or the next prompt
   * @param answer null if it contains none
   */
  public record Response(String text, String answer) implements Serializable {}

  public ResponseReader {
    stops = List.copyOf(stops);
    if (stops.contains("")) {
      throw new UserException("Cannot stop at an empty text");
    }
  }

  /** Whether a response contains a stop text; ends it in {@link Generator#generate}. */
  public boolean ended(int[] tokens) {
    if (stops.isEmpty()) {
      return false;
    }
    String text = decoder.decode(tokens, true);
    return stops.stream().anyMatch(text::contains);
  }

  /**
   * The answer is extracted from the text with its special tokens: the default pattern needs some
   * character after the letter, such as the end-of-sequence token.
   */
  public Response read(int[] tokens) {
    String answer = template.answer(response(tokens, true)).orElse(null);
    return new Response(response(tokens, false), answer);
  }

  private String response(int[] tokens, boolean special) {
    String text = decoder.decode(tokens, special);
    int end = text.length();
    for (String stop : stops) {
      int at = text.indexOf(stop);
      end = at < 0 ? end : Math.min(end, at);
    }
    // The response marker is in the prompt, which is not part of the text.
    return template.response(template.responseMarker() + text.substring(0, end));
  }
}
