package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.TinyModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TestGenerator {

  private static final int VOCABULARY = 11;
  private static final GenerationSettings GREEDY = GenerationSettings.greedy(12, Set.of());
  private static final List<GenerationSettings> SETTINGS =
      List.of(
          GenerationSettings.greedy(9, Set.of(3, 7)),
          new GenerationSettings(12, 1, 1, 0, 5, Set.of()),
          new GenerationSettings(10, 0.7, 0.9, 6, 7, Set.of(2)));

  private static final List<Backbone> BACKBONES =
      List.of(
          TinyModels.llama(1),
          TinyModels.llama(2, 1, 0),
          TinyModels.llama(3, 4, 0),
          TinyModels.llama(4, 2, 3));

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void generatesWhatRecomputationDoes(Kernels kernels) {
    List<int[]> prompts = prompts(1, 1, 2, 5, 20, 9, 3);
    for (Backbone backbone : BACKBONES) {
      try (LoraMoeNetwork network = TinyModels.tuned(backbone, kernels)) {
        for (GenerationSettings settings : SETTINGS) {
          assertThat(new Generator(network).generate(prompts, settings))
              .as("%s", settings)
              .containsExactlyElementsOf(recomputed(network, prompts, settings));
        }
      }
    }
  }

  @Test
  void theBatchChangesNoResponse() {
    List<int[]> prompts = prompts(2, 7, 1, 12, 4, 4, 18, 2, 9);
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      Generator generator = new Generator(network);
      for (GenerationSettings settings : SETTINGS) {
        List<int[]> expected =
            prompts.stream()
                .map(prompt -> generator.generate(List.of(prompt), settings).get(0))
                .toList();
        Random random = new Random(3);
        for (int repeat = 0; repeat < 5; repeat++) {
          List<Integer> order =
              new ArrayList<>(IntStream.range(0, prompts.size()).boxed().toList());
          Collections.shuffle(order, random);
          List<Integer> drawn = order.subList(0, 1 + random.nextInt(order.size()));
          List<int[]> responses =
              generator.generate(drawn.stream().map(prompts::get).toList(), settings);
          for (int i = 0; i < drawn.size(); i++) {
            assertThat(responses.get(i)).isEqualTo(expected.get(drawn.get(i)));
          }
        }
      }
    }
  }

  @Test
  void theSeedDecidesWhatIsDrawn() {
    List<int[]> prompts = prompts(4, 3, 5, 8);
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      Generator generator = new Generator(network);
      List<int[]> one = generator.generate(prompts, drawn(1));
      assertThat(generator.generate(prompts, drawn(1))).containsExactlyElementsOf(one);
      assertThat(Arrays.deepEquals(generator.generate(prompts, drawn(2)).toArray(), one.toArray()))
          .isFalse();
    }
  }

  @Test
  void responsesEndAtStopTokensAndWhereTheCallerSays() {
    List<int[]> prompts = prompts(1, 2, 5, 9, 3);
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      Generator generator = new Generator(network);
      List<int[]> whole = generator.generate(prompts, GREEDY);
      assertThat(whole).allMatch(response -> response.length == 12);
      int stop = whole.get(1)[4];
      List<int[]> stopped =
          generator.generate(prompts, GenerationSettings.greedy(12, Set.of(stop)));
      for (int i = 0; i < prompts.size(); i++) {
        int[] response = whole.get(i);
        int end =
            IntStream.range(0, 12).filter(t -> response[t] == stop).findFirst().orElse(11) + 1;
        assertThat(stopped.get(i)).isEqualTo(Arrays.copyOf(response, end));
      }
      int[] second = Arrays.copyOf(whole.get(2), 6);
      List<int[]> ended =
          generator.generate(prompts, GREEDY, response -> Arrays.equals(response, second));
      assertThat(ended.get(2)).isEqualTo(second);
      assertThat(ended.get(0)).isEqualTo(whole.get(0));
    }
  }

  @Test
  void manyPromptsAreReadGroupByGroup() {
    assertThat(TokenGroups.of(new int[] {4000, 96, 1, 0, 5000, 2, 3}))
        .containsExactly(new int[] {0, 1}, new int[] {2}, new int[] {4}, new int[] {5, 6});
    assertThat(TokenGroups.of(new int[] {0, 0})).isEmpty();
    int[] lengths = new int[300];
    Arrays.fill(lengths, 20);
    List<int[]> prompts = prompts(9, lengths);
    GenerationSettings settings = GenerationSettings.greedy(3, Set.of());
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      List<int[]> responses = new Generator(network).generate(prompts, settings);
      int[] some = {0, 203, 204, 205, 299};
      assertThat(Arrays.stream(some).mapToObj(responses::get))
          .containsExactlyElementsOf(
              recomputed(network, Arrays.stream(some).mapToObj(prompts::get).toList(), settings));
    }
  }

  @Test
  void whatCannotBeContinued() {
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      Generator generator = new Generator(network);
      assertThat(generator.generate(List.of(), GREEDY)).isEmpty();
      assertThat(generator.longestPrompt(GREEDY)).isEqualTo(20);
      assertThat(generator.generate(List.of(new int[20]), GREEDY).get(0)).hasSize(12);
      refused(
          "Cannot continue a prompt of 21 tokens by 12: the model has 32 positions",
          () -> generator.generate(List.of(new int[2], new int[21]), GREEDY));
      refused(
          "Cannot continue a prompt without tokens",
          () -> generator.generate(List.of(new int[0]), GREEDY));
      refused(
          "Cannot embed token 11: the vocabulary has 11",
          () -> generator.generate(List.of(new int[] {11}), GREEDY));
    }
    refused(
        "Cannot generate 0 tokens: expected at least 1",
        () -> GenerationSettings.greedy(0, Set.of()));
    refused(
        "Cannot generate at temperature -1.0: expected at least 0",
        () -> new GenerationSettings(1, -1, 1, 0, 0, Set.of()));
    refused(
        "Cannot sample from a probability mass of 0.0: expected above 0, at most 1",
        () -> new GenerationSettings(1, 1, 0, 0, 0, Set.of()));
    refused(
        "Cannot sample from -1 tokens: expected at least 0",
        () -> new GenerationSettings(1, 1, 1, -1, 0, Set.of()));
  }

  /** The responses when every token is chosen after a pass over all that stands before it. */
  static List<int[]> recomputed(
      LoraMoeNetwork network, List<int[]> prompts, GenerationSettings settings) {
    List<int[]> texts = new ArrayList<>(prompts);
    boolean[] ended = new boolean[texts.size()];
    for (int t = 0; t < settings.maxNewTokens(); t++) {
      TokenBatch batch =
          TokenBatch.of(
              texts.stream().map(text -> new Example(text, new int[text.length], text)).toList());
      float[][] logits = network.logitRows(batch);
      for (int i = 0; i < ended.length; i++) {
        if (!ended[i]) {
          float[] last = logits[batch.starts()[i + 1] - 1];
          int token = new TokenSampler(settings, prompts.get(i)).choose(last, t);
          int[] longer = Arrays.copyOf(texts.get(i), texts.get(i).length + 1);
          longer[longer.length - 1] = token;
          texts.set(i, longer);
          ended[i] = settings.stopTokens().contains(token);
        }
      }
    }
    List<int[]> responses = new ArrayList<>();
    for (int i = 0; i < ended.length; i++) {
      responses.add(Arrays.copyOfRange(texts.get(i), prompts.get(i).length, texts.get(i).length));
    }
    return responses;
  }

  private static GenerationSettings drawn(long seed) {
    return new GenerationSettings(12, 1, 1, 0, seed, Set.of());
  }

  private static List<int[]> prompts(long seed, int... lengths) {
    Random random = new Random(seed);
    return Arrays.stream(lengths)
        .mapToObj(length -> random.ints(length, 0, VOCABULARY).toArray())
        .toList();
  }

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }
}
