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
 * Continues prompts by a causal language model. All prompts are continued together, one token each
 * a step; every token is computed once, and a response that has ended costs nothing from then on.
 */
public final class Generator {

  private final LoraMoeNetwork network;

  public Generator(LoraMoeNetwork network) {
    this.network = network;
  }

  /** Tokens that a prompt may have: the model's positions must hold the response too. */
  public int longestPrompt(GenerationSettings settings) {
    return network.config().maxPositions() - settings.maxNewTokens();
  }

  /**
   * The response to each prompt, with the stop token if one ended it. The same prompt gets the same
   * response whatever else is in the batch, but for logits so close that their order depends on
   * rounding.
   *
   * @throws UserException for a prompt that is empty or longer than {@link #longestPrompt}: cutting
   *     it is the caller's choice, for its end asks for the response
   */
  public List<int[]> generate(List<int[]> prompts, GenerationSettings settings) {
    return generate(prompts, settings, response -> false);
  }

  /**
   * @param ended whether a response ends here, besides at a stop token
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

  /** Most tokens that are read to continue a prompt: the last one is only chosen, never read. */
  static int read(int[] prompt, GenerationSettings settings) {
    return prompt.length + settings.maxNewTokens() - 1;
  }

  /**
   * Continues prompts in a decoder with room for them.
   *
   * @param sequences of the decoder, one for each prompt; nothing was read of them
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
          String.format(
              "Cannot continue a prompt of %d tokens by %d: the model has %d positions",
              prompt.length, settings.maxNewTokens(), network.config().maxPositions()));
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

  /** A response as far as it has come. */
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
