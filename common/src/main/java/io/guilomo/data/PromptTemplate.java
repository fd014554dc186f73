package io.guilomo.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The text around an instruction, and how to extract the answer from a response.
 *
 * @param withInput prompt with the placeholders {@code {instruction}} and {@code {input}}
 * @param withoutInput prompt with the placeholder {@code {instruction}}
 * @param responseMarker the text that precedes the response
 * @param answerPattern its first group is the answer
 * @param chat how conversations are written; null: as instructions, if they have a single turn
 */
public record PromptTemplate(
    String withInput, String withoutInput, String responseMarker, Pattern answerPattern, Chat chat)
    implements Serializable {

  /**
   * The use of a model's chat template.
   *
   * @param always whether instructions and questions are written with it as well
   */
  public record Chat(ChatTemplate template, boolean always) implements Serializable {}

  /**
   * The pattern of the method's authors. Some character must follow the letter, which they leave to
   * the end-of-sequence token: a response that was cut off right after it does not count as an
   * answer.
   */
  public static final String DEFAULT_ANSWER_PATTERN = "The answer is ([A-Z]).";

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{(instruction|input)}");

  public PromptTemplate(
      String withInput, String withoutInput, String responseMarker, Pattern answerPattern) {
    this(withInput, withoutInput, responseMarker, answerPattern, null);
  }

  public PromptTemplate {
    if (!withInput.contains("{instruction}")
        || !withInput.contains("{input}")
        || !withoutInput.contains("{instruction}")) {
      throw new UserException("Cannot use a prompt template without {instruction} and {input}");
    }
    if (responseMarker.isEmpty()) {
      throw new UserException("Cannot use a prompt template with an empty response marker");
    }
    if (answerPattern.matcher("").groupCount() < 1) {
      throw new UserException(
          "Cannot use answer pattern %s: it has no group", answerPattern.pattern());
    }
  }

  /** The template of Stanford Alpaca, which the method's authors use. */
  public static PromptTemplate alpaca() {
    return new PromptTemplate(
        "Below is an instruction that describes a task, paired with an input that provides further context. "
            + "Write a response that appropriately completes the request.\n\n"
            + "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n",
        "Below is an instruction that describes a task. "
            + "Write a response that appropriately completes the request.\n\n"
            + "### Instruction:\n{instruction}\n\n### Response:\n",
        "### Response:",
        Pattern.compile(DEFAULT_ANSWER_PATTERN));
  }

  /**
   * A template file of alpaca-lora: {@code prompt_input}, {@code prompt_no_input} and {@code
   * response_split}.
   */
  public static PromptTemplate fromJson(String json) {
    JsonNode node;
    try {
      node = new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw new UserException("Cannot read a prompt template: " + e.getOriginalMessage(), e);
    }
    return new PromptTemplate(
        text(node, "prompt_input"),
        text(node, "prompt_no_input"),
        text(node, "response_split"),
        Pattern.compile(DEFAULT_ANSWER_PATTERN));
  }

  public PromptTemplate withAnswerPattern(String pattern) {
    try {
      return new PromptTemplate(
          withInput, withoutInput, responseMarker, Pattern.compile(pattern), chat);
    } catch (PatternSyntaxException e) {
      throw new UserException(
          String.format("Cannot use answer pattern %s: %s", pattern, e.getDescription()), e);
    }
  }

  public PromptTemplate with(Chat other) {
    return new PromptTemplate(withInput, withoutInput, responseMarker, answerPattern, other);
  }

  /** The record as a conversation, if it is to be written with the chat template. */
  Optional<TextRecord.Conversation> conversation(TextRecord record) {
    if (chat == null || !chat.always() && !(record instanceof TextRecord.Conversation)) {
      return Optional.empty();
    }
    return Optional.of(
        record instanceof TextRecord.Conversation conversation
            ? conversation
            : instruction(record).toConversation());
  }

  /**
   * The record as an instruction.
   *
   * @throws UserException for a conversation of several turns, or a labelled sentence
   */
  static TextRecord.Instruction instruction(TextRecord record) {
    if (record instanceof TextRecord.MultipleChoice choice) {
      return choice.toInstruction();
    }
    if (record instanceof TextRecord.Conversation conversation) {
      return conversation.toInstruction();
    }
    if (record instanceof TextRecord.Instruction instruction) {
      return instruction;
    }
    throw new UserException(
        "Cannot answer a labelled sentence with a language model: expected an instruction");
  }

  /** The prompt; the response follows immediately. */
  public String prompt(TextRecord.Instruction record) {
    Matcher matcher = PLACEHOLDER.matcher(record.input().isEmpty() ? withoutInput : withInput);
    return matcher.replaceAll(
        found ->
            Matcher.quoteReplacement(
                found.group(1).equals("input") ? record.input() : record.instruction()));
  }

  /** The prompt and its response, to train on. */
  public String text(TextRecord.Instruction record) {
    return prompt(record) + record.output();
  }

  /**
   * The response in a text: the part between the first marker and the next, or all of the text if
   * there is no marker.
   */
  public String response(String text) {
    int marker = text.indexOf(responseMarker);
    if (marker < 0) {
      return text.strip();
    }
    int start = marker + responseMarker.length();
    int end = text.indexOf(responseMarker, start);
    return text.substring(start, end < 0 ? text.length() : end).strip();
  }

  /** The answer in a response; empty unless the pattern matches exactly once. */
  public Optional<String> answer(String response) {
    return answer(response, false);
  }

  /**
   * The same of a response without its special tokens.
   *
   * @param ended whether the model ended it, so that a pattern may find one more space behind it
   */
  public Optional<String> answer(String response, boolean ended) {
    List<MatchResult> found = matches(ended ? response + " " : response);
    if (ended && found.isEmpty()) {
      found = matches(response);
    }
    return found.size() == 1
        ? Optional.ofNullable(found.get(0).group(1)).map(String::strip).filter(s -> !s.isEmpty())
        : Optional.empty();
  }

  private List<MatchResult> matches(String text) {
    return answerPattern.matcher(text).results().toList();
  }

  private static String text(JsonNode node, String field) {
    JsonNode value = node.path(field);
    if (!value.isTextual()) {
      throw new UserException("Cannot read a prompt template: no text " + field);
    }
    return value.textValue();
  }
}
