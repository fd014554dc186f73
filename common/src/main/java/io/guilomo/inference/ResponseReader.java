package io.guilomo.inference;

import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextDecoder;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Extracts the text and the answer from generated tokens.
 *
 * @param stops texts that end a response and do not belong to it
 * @param stopTokens tokens of which the same is true
 */
public record ResponseReader(
    TextDecoder decoder, PromptTemplate template, List<String> stops, Set<Integer> stopTokens) {

  /**
   * A response as text.
   *
   * @param text without special tokens, up to the first stop text or the next prompt
   * @param answer null if it contains none
   */
  public record Response(String text, String answer) implements Serializable {}

  public ResponseReader {
    stops = List.copyOf(stops);
    stopTokens = Set.copyOf(stopTokens);
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

  /** The text of a response, and the answer in it. */
  public Response read(int[] tokens) {
    int last = tokens.length - 1;
    boolean stopped = last >= 0 && stopTokens.contains(tokens[last]);
    String text = response(stopped ? Arrays.copyOf(tokens, last) : tokens);
    return new Response(text, template.answer(text, stopped || ended(tokens)).orElse(null));
  }

  private String response(int[] tokens) {
    String text = decoder.decode(tokens, false);
    int end = text.length();
    for (String stop : stops) {
      int at = text.indexOf(stop);
      end = at < 0 ? end : Math.min(end, at);
    }
    // The response marker is in the prompt, which is not part of the text.
    return template.response(template.responseMarker() + text.substring(0, end));
  }
}
