package io.guilomo.inference;

import io.guilomo.data.TokenBatch;
import io.guilomo.network.IncrementalDecoder;
import io.guilomo.network.LoraMoeNetwork;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Log-likelihoods of given responses. A prompt, and what all its responses begin with, is computed
 * once; the responses are then read one after the other from where they part, those of all prompts
 * together.
 */
public final class ChoiceScorer {

  private final LoraMoeNetwork network;

  public ChoiceScorer(LoraMoeNetwork network) {
    this.network = network;
  }

  /**
   * @throws IllegalArgumentException where a prompt with a response is longer than the model's
   *     positions
   */
  public List<ChoiceScores> score(List<Choices> records) {
    if (records.isEmpty()) {
      return List.of();
    }
    for (Choices record : records) {
      if (record.longest() > network.config().maxPositions()) {
        throw new IllegalArgumentException(
            String.format(
                "Cannot score a text of %d tokens: the model has %d positions",
                record.longest(), network.config().maxPositions()));
      }
    }
    // The last token of a text is only scored, never read.
    IncrementalDecoder decoder =
        network.decoder(records.stream().mapToInt(record -> record.longest() - 1).toArray());
    int[] parting = records.stream().mapToInt(r -> r.prompt().length + r.shared()).toArray();
    double[] begins = logLikelihoods(decoder, records, 0, new int[records.size()], parting);
    double[][] sums =
        records.stream().map(r -> new double[r.responses().size()]).toArray(double[][]::new);
    int most = Arrays.stream(sums).mapToInt(options -> options.length).max().orElseThrow();
    for (int option = 0; option < most; option++) {
      int[] ends = parting.clone();
      for (int r = 0; r < ends.length; r++) {
        if (option < sums[r].length) {
          ends[r] = records.get(r).prompt().length + records.get(r).responses().get(option).length;
        }
      }
      double[] rests = logLikelihoods(decoder, records, option, parting, ends);
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

  /**
   * {@code Σ log p} of those tokens {@code from .. to − 1} of each text that belong to its
   * response. Tokens before {@code from − 1} must have been read.
   */
  private static double[] logLikelihoods(
      IncrementalDecoder decoder, List<Choices> records, int option, int[] from, int[] to) {
    double[] sums = new double[records.size()];
    int[] first = Arrays.stream(from).map(token -> Math.max(0, token - 1)).toArray();
    int[] lengths = new int[sums.length];
    // A token is read where the one after it is wanted.
    Arrays.setAll(lengths, r -> from[r] == to[r] ? 0 : to[r] - 1 - first[r]);
    for (int[] group : TokenGroups.of(lengths)) {
      for (int r : group) {
        decoder.shorten(r, first[r]);
      }
      List<int[]> tokens =
          Arrays.stream(group)
              .mapToObj(r -> text(records.get(r), option, first[r], first[r] + lengths[r]))
              .toList();
      List<int[]> targets =
          Arrays.stream(group)
              .mapToObj(r -> targets(records.get(r), option, first[r] + 1, to[r]))
              .toList();
      List<float[]> losses = decoder.losses(group, tokens, targets);
      for (int i = 0; i < group.length; i++) {
        for (float loss : losses.get(i)) {
          sums[group[i]] -= loss;
        }
      }
    }
    return sums;
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
