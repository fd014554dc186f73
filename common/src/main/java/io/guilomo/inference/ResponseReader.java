package io.guilomo.inference;

import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextDecoder;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;

/** Reads the text and the answer of generated tokens. */
public final class ResponseReader {

  private final TextDecoder decoder;
  private final PromptTemplate template;
  private final List<String> stops;

  /**
   * A response as text.
   *
   * @param text without special tokens, up to the first stop text or the next prompt
   * @param answer null where it names none
   */
  public record Response(String text, String answer) implements Serializable {}

  /**
   * @param stops texts that end a response; they are no part of it
   */
  public ResponseReader(TextDecoder decoder, PromptTemplate template, List<String> stops) {
    this.decoder = decoder;
    this.template = template;
    this.stops = List.copyOf(stops);
    if (this.stops.contains("")) {
      throw new UserException("Cannot stop at an empty text");
    }
  }

  /** Whether a response has come to a stop text: the end for {@link Generator#generate}. */
  public boolean ended(int[] tokens) {
    if (stops.isEmpty()) {
      return false;
    }
    String text = decoder.decode(tokens, true);
    return stops.stream().anyMatch(text::contains);
  }

  /**
   * The answer is looked for in the text with its special tokens: the default pattern needs some
   * character behind the letter, which the end of the sequence may be.
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
    // The marker stands in the prompt, which is not read again.
    return template.response(template.responseMarker() + text.substring(0, end));
  }
}
