package io.guilomo.inference;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextDecoder;
import io.guilomo.data.TextEncoder;
import io.guilomo.data.TextRecord;
import io.guilomo.metric.Scored;
import io.guilomo.network.LoraMoeNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Answers instructions and questions by a language model: reads the answer out of a generated
 * response, takes the likeliest of a question's choices, or both. Prompts that leave no room in the
 * model's positions are not answered.
 */
final class ResponsePredictor implements Predictor {

  private static final ResponseReader.Response NONE = new ResponseReader.Response(null, null);

  private final LoraMoeNetwork network;
  private final TextEncoder encoder;
  private final PromptTemplate template;
  private final boolean generates;
  private final boolean chooses;
  private final Generator generator;
  private final GenerationSettings settings;
  private final ResponseReader reader;
  private final ChoiceScorer scorer;

  ResponsePredictor(
      AdapterDescription description,
      LoraMoeNetwork network,
      TextEncoder encoder,
      TextDecoder decoder,
      Options options) {
    this.network = network;
    this.encoder = encoder;
    String pattern = options.generation().answerPattern();
    this.template =
        pattern.isEmpty()
            ? description.template()
            : description.template().withAnswerPattern(pattern);
    this.generates = options.methods().contains(Answer.GENERATION);
    this.chooses = options.methods().contains(Answer.CHOICES);
    this.generator = new Generator(network);
    Set<Integer> stops =
        encoder.eos().isPresent() ? Set.of(encoder.eos().getAsInt()) : Set.<Integer>of();
    this.settings = GenerationSettings.of(options.generation(), options.seed(), stops);
    this.reader = new ResponseReader(decoder, template, options.generation().stop());
    this.scorer = new ChoiceScorer(network);
  }

  @Override
  public List<Answer> answer(List<TextRecord> records) {
    ResponseReader.Response[] responses = responses(records);
    ChoiceScores[] scores = scores(records);
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < records.size(); i++) {
      answers.add(
          records.get(i) instanceof TextRecord.MultipleChoice question
              ? answer(question, responses[i], scores[i])
              : answer(instruction(records.get(i)), responses[i], scores[i]));
    }
    return answers;
  }

  private Answer answer(
      TextRecord.MultipleChoice question,
      ResponseReader.Response response,
      ChoiceScores choiceScores) {
    int gold = question.rightChoice();
    Map<String, Scored> scores = new HashMap<>();
    String prediction = response.answer();
    Map<String, Double> probabilities = null;
    if (generates && gold >= 0) {
      int predicted = question.letters().indexOf(response.answer());
      scores.put(Answer.GENERATION, new Scored(gold, predicted, Double.NaN));
    }
    if (chooses && choiceScores != null) {
      double[] likelihoods = choiceScores.probabilities(false);
      probabilities = new LinkedHashMap<>();
      for (int i = 0; i < likelihoods.length; i++) {
        probabilities.put(question.letters().get(i), likelihoods[i]);
      }
      Scored scored = choiceScores.scored(Math.max(gold, 0), false);
      prediction = question.letters().get(scored.predicted());
      if (gold >= 0) {
        scores.put(Answer.CHOICES, scored);
      }
    }
    double loss = choiceScores == null || gold < 0 ? Double.NaN : -choiceScores.means()[gold];
    return new Answer(prediction, probabilities, response.text(), scores, loss);
  }

  private Answer answer(
      TextRecord.Instruction instruction,
      ResponseReader.Response response,
      ChoiceScores choiceScores) {
    Map<String, Scored> scores = new HashMap<>();
    if (generates && instruction.answer() != null) {
      boolean right = instruction.answer().equals(response.answer());
      scores.put(Answer.GENERATION, new Scored(0, right ? 0 : Scored.UNANSWERED, Double.NaN));
    }
    double loss = choiceScores == null ? Double.NaN : -choiceScores.means()[0];
    return new Answer(response.answer(), null, response.text(), scores, loss);
  }

  /** {@link #NONE} where nothing is generated or a prompt is too long. */
  private ResponseReader.Response[] responses(List<TextRecord> records) {
    ResponseReader.Response[] responses = new ResponseReader.Response[records.size()];
    Arrays.fill(responses, NONE);
    if (!generates) {
      return responses;
    }
    int longest = generator.longestPrompt(settings);
    List<int[]> prompts =
        records.stream()
            .map(record -> encoder.encode(template.prompt(instruction(record))))
            .toList();
    int[] answered =
        IntStream.range(0, responses.length)
            .filter(i -> prompts.get(i).length <= longest)
            .toArray();
    List<int[]> generated =
        generator.generate(
            Arrays.stream(answered).mapToObj(prompts::get).toList(), settings, reader::ended);
    for (int i = 0; i < answered.length; i++) {
      responses[answered[i]] = reader.read(generated.get(i));
    }
    return responses;
  }

  /**
   * Of a question's choices, or of the response that an instruction has; null where there is
   * neither, or no room.
   */
  private ChoiceScores[] scores(List<TextRecord> records) {
    Map<Integer, Choices> choices = new LinkedHashMap<>();
    for (int i = 0; i < records.size(); i++) {
      int position = i;
      choices(records.get(i))
          .filter(own -> own.longest() <= network.config().maxPositions())
          .ifPresent(own -> choices.put(position, own));
    }
    ChoiceScores[] scores = new ChoiceScores[records.size()];
    Iterator<ChoiceScores> all = scorer.score(List.copyOf(choices.values())).iterator();
    choices.keySet().forEach(i -> scores[i] = all.next());
    return scores;
  }

  private Optional<Choices> choices(TextRecord record) {
    if (record instanceof TextRecord.MultipleChoice question) {
      boolean wanted = chooses || question.answer() != null;
      return wanted ? Optional.of(Choices.of(question, encoder, template)) : Optional.empty();
    }
    return Choices.of(instruction(record), encoder, template);
  }

  private static TextRecord.Instruction instruction(TextRecord record) {
    if (record instanceof TextRecord.MultipleChoice question) {
      return question.toInstruction();
    }
    if (record instanceof TextRecord.Instruction instruction) {
      return instruction;
    }
    throw new IllegalArgumentException(
        "Cannot answer a labelled sentence with a language model: expected an instruction");
  }
}
