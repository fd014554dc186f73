package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.Adapters;
import io.guilomo.config.GenerationConfig;
import io.guilomo.data.ChatTemplate;
import io.guilomo.data.Frame;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextEncoder;
import io.guilomo.data.TextRecord;
import io.guilomo.data.TextRecord.Message;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.metric.Scored;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.TinyModels;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TestResponsePredictor {

  private static final TextRecord INSTRUCTION = new TextRecord.Instruction("do", "", "done", null);

  private static final TextRecord TWICE =
      new TextRecord.Conversation(
          List.of(new Message("user", "a"), new Message("user", "b")), null, null);

  private static final ChatTemplate ALTERNATING =
      new ChatTemplate(
          "{% if messages | length > 1 and messages[1].role == 'user' %}"
              + "{{ raise_exception('twice') }}{% endif %}{{ messages[0].content }}",
          Map.of());

  private static final PromptTemplate SHORT =
      new PromptTemplate("{instruction}{input}:", "{instruction}:", ":", Pattern.compile("(.)"));

  /** Tokens of {@link TinyModels}. */
  private static final int VOCABULARY = 11;

  private final Letters encoder = new Letters();

  @Test
  void onlyConversationsAreEncodedToRefuseThem() {
    Backbone backbone = TinyModels.llama(1);
    try (LoraMoeNetwork network = TinyModels.tuned(backbone, KernelsUnderTest.any())) {
      PromptTemplate alpaca = PromptTemplate.alpaca();
      Predictor mixed =
          predictor(backbone, network, alpaca.with(new PromptTemplate.Chat(ALTERNATING, false)));
      assertThat(mixed.refusal(INSTRUCTION)).isEmpty();
      assertThat(encoder.encoded).isZero();
      assertThat(mixed.refusal(TWICE))
          .contains("Cannot render the chat template, line 1: it says: twice");
      assertThat(predictor(backbone, network, alpaca).refusal(TWICE).orElseThrow())
          .startsWith("Cannot write a conversation of 2 messages with a prompt template for one");
      Predictor chat =
          predictor(backbone, network, alpaca.with(new PromptTemplate.Chat(ALTERNATING, true)));
      assertThat(chat.refusal(INSTRUCTION)).isEmpty();
      assertThat(encoder.encoded).isPositive();
    }
  }

  @Test
  void theLossOfATextIsThatOfPromptAndResponse() {
    Backbone backbone = TinyModels.llama(1);
    try (LoraMoeNetwork network = TinyModels.tuned(backbone, KernelsUnderTest.any())) {
      double ofText = loss(backbone, network, SHORT, Answer.TEXT);
      double ofResponse = loss(backbone, network, SHORT, Answer.GENERATION);
      // "do:done": four of the six tokens after the first are the response's.
      double ofPrompt =
          -new ChoiceScorer(network)
              .score(List.of(new Choices(encoder.encode("d"), List.of(encoder.encode("o:")))))
              .get(0)
              .means()[0];
      assertThat(ofText).isCloseTo((2 * ofPrompt + 4 * ofResponse) / 6, within(1e-5));
      assertThat(ofText).isNotCloseTo(ofResponse, within(1e-3));
    }
  }

  @Test
  void nothingIsGeneratedToScoreARecordWithoutAnAnswer() {
    Backbone backbone = TinyModels.llama(1);
    try (LoraMoeNetwork network = TinyModels.tuned(backbone, KernelsUnderTest.any())) {
      Predictor predictor = predictor(backbone, network, SHORT);
      TextRecord answered = new TextRecord.Instruction("do", "", "done", "A");
      assertThat(predictor.answer(List.of(INSTRUCTION)).get(0).generated()).isNotNull();
      List<Answer> scored = predictor.score(List.of(INSTRUCTION, answered));
      assertThat(scored.get(0).generated()).isNull();
      assertThat(scored.get(0).scores()).isEmpty();
      assertThat(scored.get(0).responseLoss()).isFinite();
      assertThat(scored.get(1).generated()).isNotNull();
      assertThat(scored.get(1).scores()).containsOnlyKeys(Answer.GENERATION);
    }
  }

  /** A wrong answer is one. */
  @Test
  void anAnswerIsRightOrWrongOrMissing() {
    Backbone backbone = TinyModels.llama(1);
    try (LoraMoeNetwork network = TinyModels.tuned(backbone, KernelsUnderTest.any())) {
      TextRecord record = new TextRecord.Instruction("do", "", "done", "7");
      Map.of("It is 7", 0, "It is 8", 1, "What?", Scored.UNANSWERED)
          .forEach(
              (text, predicted) -> {
                Predictor predictor =
                    predictor(
                        backbone,
                        network,
                        SHORT.withAnswerPattern("It is (.)"),
                        Answer.GENERATION,
                        text);
                assertThat(predictor.score(List.of(record)).get(0).scores())
                    .containsExactly(
                        Map.entry(Answer.GENERATION, new Scored(0, predicted, Double.NaN)));
              });
    }
  }

  private double loss(
      Backbone backbone, LoraMoeNetwork network, PromptTemplate template, String method) {
    return predictor(backbone, network, template, method)
        .answer(List.of(INSTRUCTION))
        .get(0)
        .responseLoss();
  }

  private Predictor predictor(Backbone backbone, LoraMoeNetwork network, PromptTemplate template) {
    return predictor(backbone, network, template, Answer.GENERATION);
  }

  private Predictor predictor(
      Backbone backbone, LoraMoeNetwork network, PromptTemplate template, String method) {
    return predictor(backbone, network, template, method, "");
  }

  /**
   * @param text of every response
   */
  private Predictor predictor(
      Backbone backbone,
      LoraMoeNetwork network,
      PromptTemplate template,
      String method,
      String text) {
    AdapterDescription plain =
        Adapters.description(backbone, Adapters.plan(backbone, List.of(List.of(1, 2))));
    return new ResponsePredictor(
        new AdapterDescription(
            plain.plan(),
            plain.backbone(),
            plain.backboneDigest(),
            plain.paths(),
            plain.task(),
            plain.labels(),
            plain.pooling(),
            plain.maxLength(),
            template),
        network,
        encoder,
        (tokens, special) -> text,
        new Predictor.Options(List.of(method), new GenerationConfig(4, 0, 1, 0, List.of(), ""), 1));
  }

  private static final class Letters implements TextEncoder {
    private int encoded;

    @Override
    public int[] encode(String text) {
      return encodeBare(text);
    }

    @Override
    public int[] encodeBare(String text) {
      encoded++;
      return text.chars().map(letter -> letter % VOCABULARY).toArray();
    }

    @Override
    public OptionalInt bos() {
      return OptionalInt.empty();
    }

    @Override
    public OptionalInt eos() {
      return OptionalInt.of(2);
    }

    @Override
    public Frame frame(boolean pair) {
      return Frame.of(new int[] {Frame.FIRST}, 0);
    }
  }
}
