package io.guilomo.inference;

import io.guilomo.data.TokenBatch;
import io.guilomo.model.UserException;
import io.guilomo.network.IncrementalDecoder;
import io.guilomo.network.LoraMoeNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Log-likelihoods of given responses. A prompt and the common prefix of its responses are computed
 * once; the responses are then read one after the other from where they diverge, those of all
 * prompts together.
 */
public record ChoiceScorer(LoraMoeNetwork network) {

  /**
   * @throws UserException if a prompt and a response together exceed the positions of the model
   */
  public List<ChoiceScores> score(List<Choices> records) {
    if (records.isEmpty()) {
      return List.of();
    }
    for (Choices record : records) {
      if (record.longest() > network.config().maxPositions()) {
        throw new UserException(
            "Cannot score a text of %d tokens: the model has %d positions",
            record.longest(), network.config().maxPositions());
      }
    }
    IncrementalDecoder decoder =
        network.decoder(records.stream().mapToInt(ChoiceScorer::read).toArray());
    return score(decoder, IntStream.range(0, records.size()).toArray(), records);
  }

  /** Maximum number of tokens read to score a record: the last token of a text is only scored. */
  static int read(Choices record) {
    return record.longest() - 1;
  }

  /**
   * Scores records with a decoder that has room for them.
   *
   * @param sequences sequences of the decoder, one per record; tokens of the prompt that it has
   *     read already are not read again
   */
  static List<ChoiceScores> score(
      IncrementalDecoder decoder, int[] sequences, List<Choices> records) {
    Texts texts = new Texts(decoder, sequences, records);
    int[] parting = records.stream().mapToInt(r -> r.prompt().length + r.shared()).toArray();
    double[] begins = texts.logLikelihoods(0, texts.read(), parting);
    double[][] sums =
        records.stream().map(r -> new double[r.responses().size()]).toArray(double[][]::new);
    int most = Arrays.stream(sums).mapToInt(options -> options.length).max().orElse(0);
    for (int option = 0; option < most; option++) {
      int[] ends = parting.clone();
      for (int r = 0; r < ends.length; r++) {
        if (option < sums[r].length) {
          ends[r] = records.get(r).prompt().length + records.get(r).responses().get(option).length;
        }
      }
      double[] rests = texts.logLikelihoods(option, parting, ends);
      for (int r = 0; r < ends.length; r++) {
        if (option < sums[r].length) {
          sums[r][option] = begins[r] + rests[r];
        }
      }
    }
    return IntStream.range(0, sums.length)
        .mapToObj(
            r ->
                new ChoiceScores(
                    sums[r],
                    records.get(r).responses().stream().mapToInt(text -> text.length).toArray()))
        .toList();
  }

  /** Prompts, each with one of its responses, as sequences of a decoder. */
  private record Texts(IncrementalDecoder decoder, int[] sequences, List<Choices> records) {

    /** One more than the tokens read of each prompt: the first position that they do not score. */
    int[] read() {
      int[] read = new int[sequences.length];
      Arrays.setAll(
          read,
          r -> {
            int[] prompt = records.get(r).prompt();
            return 1 + Math.min(prompt.length - 1, decoder.shared(sequences[r], prompt));
          });
      return read;
    }

    /**
     * {@code Σ log p} of the tokens {@code from .. to − 1} of each text that belong to its
     * response. The tokens before {@code from − 1} must have been read.
     */
    double[] logLikelihoods(int option, int[] from, int[] to) {
      double[] sums = new double[sequences.length];
      int[] lengths = new int[sums.length];
      // The likelihood of a token comes from reading the one before it.
      Arrays.setAll(lengths, r -> to[r] - from[r]);
      for (int[] group : TokenGroups.of(lengths)) {
        List<int[]> tokens = new ArrayList<>();
        List<int[]> targets = new ArrayList<>();
        for (int r : group) {
          decoder.shorten(sequences[r], from[r] - 1);
          tokens.add(text(records.get(r), option, from[r] - 1, to[r] - 1));
          targets.add(targets(records.get(r), option, from[r], to[r]));
        }
        int[] continued = Arrays.stream(group).map(r -> sequences[r]).toArray();
        List<float[]> losses = decoder.losses(continued, tokens, targets);
        for (int i = 0; i < group.length; i++) {
          for (float loss : losses.get(i)) {
            sums[group[i]] -= loss;
          }
        }
      }
      return sums;
    }
  }

  private static int[] text(Choices record, int option, int from, int to) {
    int[] prompt = record.prompt();
    int[] response = record.responses().get(option);
    int[] text = new int[to - from];
    for (int t = from; t < to; t++) {
      text[t - from] = t < prompt.length ? prompt[t] : response[t - prompt.length];
    }
    return text;
  }

  private static int[] targets(Choices record, int option, int from, int to) {
    int[] targets = text(record, option, from, to);
    Arrays.fill(
        targets, 0, Math.max(0, Math.min(to, record.prompt().length) - from), TokenBatch.IGNORED);
    return targets;
  }
}
