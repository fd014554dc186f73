package io.guilomo.inference;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.data.PromptEncoder;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextDecoder;
import io.guilomo.data.TextEncoder;
import io.guilomo.data.TextRecord;
import io.guilomo.metric.Scored;
import io.guilomo.model.UserException;
import io.guilomo.network.IncrementalDecoder;
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
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Answers instructions and questions with a language model: extracts the answer from a generated
 * response, takes the most likely choice of a question, or both. Prompts that leave no room in the
 * model's positions are not answered.
 */
final class ResponsePredictor implements Predictor {

  private static final ResponseReader.Response NONE = new ResponseReader.Response(null, null);

  private final LoraMoeNetwork network;
  private final PromptEncoder prompts;
  private final boolean generates;
  private final boolean chooses;
  private final boolean readsTexts;
  private final Generator generator;
  private final GenerationSettings settings;
  private final ResponseReader reader;

  ResponsePredictor(
      AdapterDescription description,
      LoraMoeNetwork network,
      TextEncoder encoder,
      TextDecoder decoder,
      Options options) {
    this.network = network;
    String pattern = options.generation().answerPattern();
    PromptTemplate template =
        pattern.isEmpty()
            ? description.template()
            : description.template().withAnswerPattern(pattern);
    this.generates = options.methods().contains(Answer.GENERATION);
    this.chooses = options.methods().contains(Answer.CHOICES);
    this.readsTexts = options.methods().contains(Answer.TEXT);
    this.generator = new Generator(network);
    this.prompts = new PromptEncoder(encoder, template);
    Set<Integer> stops = new TreeSet<>(encoder.stopTokens());
    List<String> texts = new ArrayList<>(options.generation().stop());
    String turnEnd = prompts.turnEnd();
    int[] end = turnEnd.isEmpty() ? new int[0] : encoder.encodeBare(turnEnd);
    if (end.length == 1) {
      stops.add(end[0]);
    } else if (end.length > 1) {
      texts.add(turnEnd);
    }
    this.settings = GenerationSettings.of(options.generation(), options.seed(), stops);
    this.reader = new ResponseReader(decoder, template, texts, stops);
  }

  @Override
  public Optional<String> refusal(TextRecord record) {
    // Prompts of one instruction can be written for all others.
    if (!prompts.isChat(record) && !(record instanceof TextRecord.Conversation)) {
      return Optional.empty();
    }
    try {
      prompts.prompt(record);
      choices(record);
      return Optional.empty();
    } catch (UserException e) {
      return Optional.of(e.getMessage());
    }
  }

  @Override
  public List<Answer> answer(List<TextRecord> records) {
    return answer(records, record -> true);
  }

  @Override
  public List<Answer> score(List<TextRecord> records) {
    return answer(records, record -> expected(record) != null);
  }

  /**
   * @param generated for which records a response is generated, if for any
   */
  private List<Answer> answer(List<TextRecord> records, Predicate<TextRecord> generated) {
    SortedMap<Integer, int[]> prompts = prompts(records, generated);
    SortedMap<Integer, Choices> choices = choices(records);
    // Generation and scoring start with the same prompt, which is read only once.
    IncrementalDecoder decoder = decoder(records.size(), prompts, choices);
    Map<Integer, ResponseReader.Response> responses = responses(decoder, prompts);
    Map<Integer, ChoiceScores> scores = scores(decoder, choices);
    Map<Integer, Double> losses = readsTexts ? texts(records) : Map.of();
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < records.size(); i++) {
      ResponseReader.Response response = responses.getOrDefault(i, NONE);
      answers.add(
          records.get(i) instanceof TextRecord.MultipleChoice question
              ? answer(question, response, scores.get(i), losses.get(i))
              : answer(expected(records.get(i)), response, scores.get(i), losses.get(i)));
    }
    return answers;
  }

  /**
   * @param textLoss null unless texts are read, and where a record's cannot be
   */
  private Answer answer(
      TextRecord.MultipleChoice question,
      ResponseReader.Response response,
      ChoiceScores choiceScores,
      Double textLoss) {
    int gold = question.rightChoice();
    Map<String, Scored> scores = new HashMap<>();
    String prediction = response.answer();
    Map<String, Double> probabilities = null;
    Map<String, Double> confidences = Map.of();
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
      confidences = Map.of(Answer.CHOICES, scored.confidence());
      if (gold >= 0) {
        scores.put(Answer.CHOICES, scored);
      }
    }
    return new Answer(
        prediction,
        probabilities,
        response.text(),
        scores,
        confidences,
        loss(choiceScores, gold, textLoss));
  }

  /**
   * @param expected null if unknown
   */
  private Answer answer(
      String expected,
      ResponseReader.Response response,
      ChoiceScores choiceScores,
      Double textLoss) {
    Map<String, Scored> scores = new HashMap<>();
    if (generates && expected != null) {
      scores.put(Answer.GENERATION, new Scored(0, given(response.answer(), expected), Double.NaN));
    }
    return new Answer(
        response.answer(),
        null,
        response.text(),
        scores,
        Map.of(),
        loss(choiceScores, 0, textLoss));
  }

  /** The class of an answer, where the right ones are 0 and all others 1. */
  private static int given(String answer, String expected) {
    if (answer == null) {
      return Scored.UNANSWERED;
    }
    return answer.equals(expected) ? 0 : 1;
  }

  private double loss(ChoiceScores choiceScores, int right, Double textLoss) {
    if (readsTexts) {
      return textLoss == null ? Double.NaN : textLoss;
    }
    return choiceScores == null || right < 0 ? Double.NaN : -choiceScores.means()[right];
  }

  /** Prompts by index of the record, except those that are too long; empty without generation. */
  private SortedMap<Integer, int[]> prompts(
      List<TextRecord> records, Predicate<TextRecord> generated) {
    SortedMap<Integer, int[]> fitting = new TreeMap<>();
    int longest = generator.longestPrompt(settings);
    for (int i = 0; generates && i < records.size(); i++) {
      if (!generated.test(records.get(i))) {
        continue;
      }
      int[] prompt = prompts.prompt(records.get(i));
      if (prompt.length <= longest) {
        fitting.put(i, prompt);
      }
    }
    return fitting;
  }

  /**
   * Choices by index of the record, for questions and for instructions that have a response, except
   * those that are too long.
   */
  private SortedMap<Integer, Choices> choices(List<TextRecord> records) {
    return fitting(records, this::choices);
  }

  private SortedMap<Integer, Choices> fitting(
      List<TextRecord> records, Function<TextRecord, Optional<Choices>> read) {
    SortedMap<Integer, Choices> choices = new TreeMap<>();
    for (int i = 0; i < records.size(); i++) {
      int position = i;
      read.apply(records.get(i))
          .filter(own -> own.longest() <= network.config().maxPositions())
          .ifPresent(own -> choices.put(position, own));
    }
    return choices;
  }

  private Optional<Choices> choices(TextRecord record) {
    if (record instanceof TextRecord.MultipleChoice question) {
      boolean wanted = chooses || (!readsTexts && question.answer() != null);
      return wanted ? Optional.of(Choices.of(question, prompts)) : Optional.empty();
    }
    return readsTexts ? Optional.empty() : Choices.ofResponse(record, prompts);
  }

  /** {@code −log p} per token of whole texts, by index of the record. */
  private Map<Integer, Double> texts(List<TextRecord> records) {
    SortedMap<Integer, Choices> texts = fitting(records, record -> Choices.ofText(record, prompts));
    List<ChoiceScores> scores = new ChoiceScorer(network).score(List.copyOf(texts.values()));
    return byPosition(texts, scores.stream().map(one -> -one.means()[0]).toList());
  }

  /** One sequence per record, with room for the tokens read to continue and to score its prompt. */
  private IncrementalDecoder decoder(
      int records, Map<Integer, int[]> prompts, Map<Integer, Choices> choices) {
    int[] capacities = new int[records];
    Arrays.fill(capacities, 1);
    prompts.forEach((i, prompt) -> capacities[i] = Generator.read(prompt, settings));
    choices.forEach((i, own) -> capacities[i] = Math.max(capacities[i], ChoiceScorer.read(own)));
    return network.decoder(capacities);
  }

  private Map<Integer, ResponseReader.Response> responses(
      IncrementalDecoder decoder, SortedMap<Integer, int[]> prompts) {
    return byPosition(
        prompts,
        Generator.generate(
                decoder, positions(prompts), List.copyOf(prompts.values()), settings, reader::ended)
            .stream()
            .map(reader::read)
            .toList());
  }

  private static Map<Integer, ChoiceScores> scores(
      IncrementalDecoder decoder, SortedMap<Integer, Choices> choices) {
    return byPosition(
        choices, ChoiceScorer.score(decoder, positions(choices), List.copyOf(choices.values())));
  }

  private static <T> Map<Integer, T> byPosition(SortedMap<Integer, ?> asked, List<T> answers) {
    Iterator<T> next = answers.iterator();
    Map<Integer, T> byPosition = new HashMap<>();
    asked.keySet().forEach(i -> byPosition.put(i, next.next()));
    return byPosition;
  }

  private static int[] positions(SortedMap<Integer, ?> byPosition) {
    return byPosition.keySet().stream().mapToInt(Integer::intValue).toArray();
  }

  /** The right answer; null if unknown. */
  private static String expected(TextRecord record) {
    if (record instanceof TextRecord.MultipleChoice question) {
      return question.answer();
    }
    return record instanceof TextRecord.Conversation conversation
        ? conversation.answer()
        : ((TextRecord.Instruction) record).answer();
  }
}
