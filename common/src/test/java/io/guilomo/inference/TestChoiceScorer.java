package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.data.Example;
import io.guilomo.data.PromptEncoder;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextRecord;
import io.guilomo.data.TokenBatch;
import io.guilomo.data.WordEncoder;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.kernel.ObservedKernels;
import io.guilomo.metric.Scored;
import io.guilomo.network.IncrementalDecoder;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.TinyModels;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TestChoiceScorer {

  private static final List<Choices> RECORDS =
      List.of(
          // Responses that begin alike.
          choices(new int[] {1, 5, 3, 2}, new int[] {4, 4, 1, 9}, new int[] {4, 4, 2, 9}),
          // One token each, after a prompt of one.
          choices(new int[] {7}, new int[] {0}, new int[] {1}, new int[] {10}, new int[] {3}),
          // One that begins another, and one of its own.
          choices(new int[] {2, 2}, new int[] {6, 8}, new int[] {6, 8, 8, 1}, new int[] {6, 3}),
          // The only one, and the model's last position.
          choices(new int[30], new int[] {5, 6}),
          // Two that are the same.
          choices(new int[] {9, 1, 0}, new int[] {3, 3}, new int[] {3, 3}));

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void logLikelihoodsAreThoseOfWholeTexts(Kernels kernels) {
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), kernels)) {
      List<ChoiceScores> scores = new ChoiceScorer(network).score(RECORDS);
      assertThat(scores).hasSameSizeAs(RECORDS);
      for (int r = 0; r < RECORDS.size(); r++) {
        List<int[]> responses = RECORDS.get(r).responses();
        assertThat(scores.get(r).logLikelihoods()).hasSameSizeAs(responses);
        for (int i = 0; i < responses.size(); i++) {
          double expected = logLikelihood(network, RECORDS.get(r).prompt(), responses.get(i));
          assertThat(scores.get(r).logLikelihoods()[i])
              .as("record %d, response %d", r, i)
              .isCloseTo(expected, within(2e-5));
          assertThat(scores.get(r).means()[i])
              .isCloseTo(expected / responses.get(i).length, within(2e-5));
        }
      }
    }
  }

  @Test
  void aPromptThatWasContinuedIsNotReadAgain() {
    KeptRows kept = new KeptRows();
    Kernels kernels = ObservedKernels.of(KernelsUnderTest.any(), kept);
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), kernels)) {
      GenerationSettings settings = GenerationSettings.greedy(2, Set.of());
      IncrementalDecoder decoder =
          network.decoder(
              RECORDS.stream()
                  .mapToInt(
                      record ->
                          Math.max(
                              ChoiceScorer.read(record), Generator.read(record.prompt(), settings)))
                  .toArray());
      int[] sequences = IntStream.range(0, RECORDS.size()).toArray();
      List<int[]> prompts = RECORDS.stream().map(Choices::prompt).toList();
      Generator.generate(decoder, sequences, prompts, settings, response -> false);

      kept.count = 0;
      List<ChoiceScores> scores = ChoiceScorer.score(decoder, sequences, RECORDS);
      // What responses share, with the prompt's last token, and each response from there but its
      // last token; keys and values in each layer.
      int tokens = (2 + 2 + 2) + 4 + (1 + 1 + 3 + 1) + 2 + 2;
      assertThat(kept.count).isEqualTo(2 * network.config().layers() * tokens);
      List<ChoiceScores> alone = new ChoiceScorer(network).score(RECORDS);
      for (int r = 0; r < RECORDS.size(); r++) {
        assertThat(scores.get(r).logLikelihoods())
            .containsExactly(alone.get(r).logLikelihoods(), within(1e-5));
      }
    }
  }

  @Test
  void likelihoodsOfAllResponsesOfALengthSumToOne() {
    int[][] pairs =
        IntStream.range(0, 121).mapToObj(i -> new int[] {i / 11, i % 11}).toArray(int[][]::new);
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      ChoiceScores scores =
          new ChoiceScorer(network).score(List.of(choices(new int[] {4, 2}, pairs))).get(0);
      assertThat(Arrays.stream(scores.logLikelihoods()).map(Math::exp).sum())
          .isCloseTo(1, within(1e-5));
      assertThat(scores.probabilities(false)[60])
          .isCloseTo(Math.exp(scores.logLikelihoods()[60]), within(1e-6));
    }
  }

  @Test
  void theLikeliestResponseIsTheAnswer() {
    ChoiceScores scores =
        new ChoiceScores(new double[] {Math.log(0.03), Math.log(0.01)}, new int[] {1, 4});
    assertThat(scores.probabilities(false))
        .containsExactly(new double[] {0.75, 0.25}, within(1e-12));
    assertThat(scores.scored(0, false))
        .usingRecursiveComparison()
        .withComparatorForType((a, b) -> Math.abs(a - b) < 1e-12 ? 0 : 1, Double.class)
        .isEqualTo(new Scored(0, 0, -Math.log(0.75), 0.75));
    // A token of the second is likelier: 0.01^(1/4) = 0.316.
    assertThat(scores.scored(0, true).predicted()).isEqualTo(1);
    assertThat(scores.probabilities(true)[0])
        .isCloseTo(0.03 / (0.03 + Math.pow(0.01, 0.25)), within(1e-12));
  }

  @Test
  void choicesOfAQuestion() {
    WordEncoder encoder = new WordEncoder();
    PromptTemplate template = PromptTemplate.alpaca();
    TextRecord.MultipleChoice question =
        new TextRecord.MultipleChoice(
            null,
            "Which ?",
            List.of(new TextRecord.Choice("1", "this"), new TextRecord.Choice("2", "that one")),
            null);
    Choices choices = Choices.of(question, new PromptEncoder(encoder, template));
    assertThat(choices.prompt())
        .isEqualTo(encoder.encode(template.prompt(question.toInstruction())));
    assertThat(choices.responses())
        .containsExactly(
            encoder.encodeBare("Answer: The answer is A."),
            encoder.encodeBare("Answer: The answer is B."));
    assertThat(choices.shared()).isEqualTo(4);
    assertThat(choices.longest()).isEqualTo(choices.prompt().length + 5);
  }

  @Test
  void aTokenAcrossTheBorderBelongsToTheResponse() {
    // The template ends inside of a word: "=" is the prompt's last token, "=Answer:" the text's.
    PromptTemplate template =
        new PromptTemplate(
            "{instruction}{input}=",
            "{instruction}=",
            "=",
            Pattern.compile(PromptTemplate.DEFAULT_ANSWER_PATTERN));
    WordEncoder encoder = new WordEncoder();
    TextRecord.MultipleChoice question =
        new TextRecord.MultipleChoice(
            null,
            "Which ?",
            List.of(new TextRecord.Choice("1", "this"), new TextRecord.Choice("2", "that")),
            "2");
    Choices choices = Choices.of(question, new PromptEncoder(encoder, template));
    assertThat(encoder.decode(choices.responses().get(1), false))
        .isEqualTo("=Answer: The answer is B.");
    int[] prompt = encoder.encode(template.prompt(question.toInstruction()));
    assertThat(choices.prompt()).isEqualTo(Arrays.copyOf(prompt, prompt.length - 1));
  }

  @Test
  void whatCannotBeScored() {
    refused(
        "Cannot compare responses of [1, 0] tokens to a prompt of 2: expected at least 1 each",
        () -> choices(new int[2], new int[1], new int[0]));
    refused(
        "Cannot compare responses of [1] tokens to a prompt of 0: expected at least 1 each",
        () -> choices(new int[0], new int[1]));
    refused(
        "Cannot compare responses of [] tokens to a prompt of 2: expected at least 1 each",
        () -> choices(new int[2]));
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      ChoiceScorer scorer = new ChoiceScorer(network);
      assertThat(scorer.score(List.of())).isEmpty();
      refused(
          "Cannot score a text of 33 tokens: the model has 32 positions",
          () -> scorer.score(List.of(choices(new int[31], new int[] {1}, new int[] {1, 2}))));
    }
  }

  private static double logLikelihood(LoraMoeNetwork network, int[] prompt, int[] response) {
    int[] text = Arrays.copyOf(prompt, prompt.length + response.length);
    System.arraycopy(response, 0, text, prompt.length, response.length);
    int[] labels = text.clone();
    Arrays.fill(labels, 0, prompt.length, TokenBatch.IGNORED);
    TokenBatch batch = TokenBatch.of(List.of(new Example(text, new int[text.length], labels)));
    return -response.length * network.pass(batch, PassOptions.evaluation()).taskLoss();
  }

  private static Choices choices(int[] prompt, int[]... responses) {
    return new Choices(prompt, List.of(responses));
  }

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  /** Counts the tokens of which keys or values are kept, each time that they are. */
  private static final class KeptRows implements ObservedKernels.Observer {
    private int count;

    @Override
    public void after(String kernel, Object[] arguments, Object result) {
      if (kernel.equals("scatterRows")) {
        count += ((int[]) arguments[1]).length;
      }
    }
  }
}
