package io.guilomo.inference;

import io.guilomo.model.UserException;
import io.guilomo.network.IncrementalDecoder;
import io.guilomo.network.LoraMoeNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Continues prompts with a causal language model. Each step adds one token to every prompt; every
 * token is computed once, and a finished response costs nothing more.
 */
public record Generator(LoraMoeNetwork network) {

  /** Maximum length of a prompt: the model's positions must leave room for the response. */
  public int longestPrompt(GenerationSettings settings) {
    return network.config().maxPositions() - settings.maxNewTokens();
  }

  /**
   * The response to each prompt, including the stop token if one ended it. A prompt gets the same
   * response whatever else is in the batch, except if logits are so close that rounding decides.
   *
   * @throws UserException if a prompt is empty or longer than {@link #longestPrompt}; truncation is
   *     up to the caller, because the end of a prompt asks for the response
   */
  public List<int[]> generate(List<int[]> prompts, GenerationSettings settings) {
    return generate(prompts, settings, response -> false);
  }

  /**
   * @param ended whether a response ends here; it also ends at a stop token
   */
  public List<int[]> generate(
      List<int[]> prompts, GenerationSettings settings, Predicate<int[]> ended) {
    if (prompts.isEmpty()) {
      return List.of();
    }
    for (int[] prompt : prompts) {
      check(prompt, settings);
    }
    IncrementalDecoder decoder =
        network.decoder(prompts.stream().mapToInt(prompt -> read(prompt, settings)).toArray());
    return generate(
        decoder, IntStream.range(0, prompts.size()).toArray(), prompts, settings, ended);
  }

  /** Maximum number of tokens read to continue a prompt: the last one is chosen but never read. */
  static int read(int[] prompt, GenerationSettings settings) {
    return prompt.length + settings.maxNewTokens() - 1;
  }

  /**
   * Continues prompts with a decoder that has room for them.
   *
   * @param sequences sequences of the decoder, one per prompt; it must not have read any of them
   */
  static List<int[]> generate(
      IncrementalDecoder decoder,
      int[] sequences,
      List<int[]> prompts,
      GenerationSettings settings,
      Predicate<int[]> ended) {
    List<Draft> drafts = new ArrayList<>();
    for (int i = 0; i < sequences.length; i++) {
      drafts.add(new Draft(sequences[i], prompts.get(i), settings, ended));
    }
    for (int[] group :
        TokenGroups.of(prompts.stream().mapToInt(prompt -> prompt.length).toArray())) {
      step(
          decoder,
          Arrays.stream(group).mapToObj(drafts::get).toList(),
          Arrays.stream(group).mapToObj(prompts::get).toList());
    }
    List<Draft> going = going(drafts);
    while (!going.isEmpty()) {
      step(decoder, going, going.stream().map(Draft::last).toList());
      going = going(going);
    }
    return drafts.stream().map(Draft::tokens).toList();
  }

  private void check(int[] prompt, GenerationSettings settings) {
    if (prompt.length == 0) {
      throw new UserException("Cannot continue a prompt without tokens");
    }
    if (prompt.length > longestPrompt(settings)) {
      throw new UserException(
          "Cannot continue a prompt of %d tokens by %d: the model has %d positions",
          prompt.length, settings.maxNewTokens(), network.config().maxPositions());
    }
  }

  private static void step(IncrementalDecoder decoder, List<Draft> drafts, List<int[]> tokens) {
    float[][] logits =
        decoder.read(drafts.stream().mapToInt(draft -> draft.sequence).toArray(), tokens);
    for (int i = 0; i < drafts.size(); i++) {
      drafts.get(i).choose(logits[i]);
    }
  }

  private static List<Draft> going(List<Draft> drafts) {
    return drafts.stream().filter(draft -> !draft.ended).toList();
  }

  /** An unfinished response. */
  private static final class Draft {
    private final int sequence;
    private final GenerationSettings settings;
    private final Predicate<int[]> end;
    private final TokenSampler sampler;
    private final int[] tokens;
    private int length;
    private boolean ended;

    Draft(int sequence, int[] prompt, GenerationSettings settings, Predicate<int[]> end) {
      this.sequence = sequence;
      this.settings = settings;
      this.end = end;
      this.sampler = new TokenSampler(settings, prompt);
      this.tokens = new int[settings.maxNewTokens()];
    }

    void choose(float[] logits) {
      tokens[length] = sampler.choose(logits, length);
      length++;
      ended =
          length == tokens.length
              || settings.stopTokens().contains(tokens[length - 1])
              || end.test(tokens());
    }

    int[] last() {
      return new int[] {tokens[length - 1]};
    }

    int[] tokens() {
      return Arrays.copyOf(tokens, length);
    }
  }
}
