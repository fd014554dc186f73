package io.guilomo.data;

import io.guilomo.model.UserException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A record of a data set as text, before it becomes an {@link Example}. */
public sealed interface TextRecord extends Serializable {

  /** Kind and fields, in order; null for missing fields. */
  List<String> content();

  /**
   * The first 16 bytes of the SHA-256 of the content, in hexadecimal; the same for equal records
   * wherever they come from.
   */
  default String digest() {
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Cannot digest a record: this JVM has no SHA-256", e);
    }
    for (String field : content()) {
      if (field == null) {
        sha.update((byte) 'n');
      } else {
        byte[] bytes = field.getBytes(StandardCharsets.UTF_8);
        // The length distinguishes ("ab", "c") from ("a", "bc").
        sha.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
        sha.update(bytes);
      }
    }
    return HexFormat.of().formatHex(sha.digest(), 0, 16);
  }

  /**
   * An instruction and its response.
   *
   * @param input further context; empty if there is none
   * @param output the response to learn; empty if it is to be predicted
   * @param answer the answer that a correct response contains; null if unknown
   */
  record Instruction(String instruction, String input, String output, String answer)
      implements TextRecord {
    @Override
    public List<String> content() {
      return fields("instruction", instruction, input, output, answer);
    }

    /** The user's instruction, with its input below it, and the assistant's response. */
    public Conversation toConversation() {
      List<Message> messages = new ArrayList<>();
      String separator = input.isEmpty() ? "" : "\n\n";
      messages.add(new Message("user", instruction + separator + input));
      if (!output.isEmpty()) {
        messages.add(new Message(Message.ASSISTANT, output));
      }
      return new Conversation(messages, null, answer);
    }
  }

  /**
   * A message of a conversation.
   *
   * @param content empty if there is none, as where the assistant only calls functions
   * @param others its other fields as a JSON object, such as {@code tool_calls}; null if there are
   *     none
   */
  record Message(String role, String content, String others) implements Serializable {

    public static final String ASSISTANT = "assistant";

    public Message(String role, String content) {
      this(role, content, null);
    }

    public boolean isAssistant() {
      return role.equals(ASSISTANT);
    }

    /** As a chat template sees it. */
    Map<String, Object> values() {
      Map<String, Object> values = new LinkedHashMap<>();
      values.put("role", role);
      values.put("content", content);
      if (others != null && PlainJson.read(others) instanceof Map<?, ?> map) {
        map.forEach((name, value) -> values.put((String) name, value));
      }
      return values;
    }
  }

  /**
   * Messages of a user and an assistant, and perhaps of a system and of functions.
   *
   * @param tools the functions that the assistant may call, as JSON; null if there are none
   * @param answer the answer that a correct response contains; null if unknown
   */
  record Conversation(List<Message> messages, String tools, String answer) implements TextRecord {

    public Conversation {
      messages = List.copyOf(messages);
      if (messages.isEmpty()) {
        throw new UserException("Cannot use a conversation without messages");
      }
    }

    /** Whether the assistant has the last word, which is the response to the rest. */
    public boolean hasResponse() {
      return messages.get(messages.size() - 1).isAssistant();
    }

    /** What the assistant says last; empty if it is to be predicted. */
    public String response() {
      return hasResponse() ? messages.get(messages.size() - 1).content() : "";
    }

    /** The messages before the response. */
    public List<Message> prompt() {
      return messages.subList(0, messages.size() - (hasResponse() ? 1 : 0));
    }

    /**
     * A question, after what a system may say, and its response as an instruction, for templates
     * that know no conversations.
     *
     * @throws UserException for any other conversation
     */
    public Instruction toInstruction() {
      List<Message> asked = prompt();
      boolean system = !asked.isEmpty() && asked.get(0).role().equals("system");
      int turns = asked.size() - (system ? 1 : 0);
      if (turns != 1 || !asked.get(asked.size() - 1).role().equals("user") || tools != null) {
        throw new UserException(
            "Cannot write a conversation of %d messages with a prompt template for one instruction:"
                + " set data.prompt-template to chat, and model.path to a model with a chat template",
            messages.size());
      }
      String before = system ? asked.get(0).content() + "\n\n" : "";
      return new Instruction(
          before + asked.get(asked.size() - 1).content(), "", response(), answer);
    }

    Object toolValues() {
      return tools == null ? null : PlainJson.read(tools);
    }

    @Override
    public List<String> content() {
      List<String> content = fields("conversation", tools, answer);
      for (Message message : messages) {
        content.add(message.role());
        content.add(message.content());
        content.add(message.others());
      }
      return content;
    }
  }

  /** A choice of a question, with its label in the data. */
  record Choice(String label, String text) implements Serializable {}

  /**
   * A question and its choices.
   *
   * @param context what the question refers to: null if the data has no such field, empty if this
   *     record has none
   * @param answer label of the correct choice; null if it is to be predicted
   */
  record MultipleChoice(String context, String question, List<Choice> choices, String answer)
      implements TextRecord {

    public MultipleChoice {
      choices = List.copyOf(choices);
      if (choices.size() < 2 || choices.size() > 26) {
        throw new UserException(
            "Cannot ask a question with %d choices: expected 2 to 26", choices.size());
      }
      if (answer != null && choices.stream().map(Choice::label).noneMatch(answer::equals)) {
        throw new UserException(
            "Cannot use answer %s: labels are %s",
            answer, choices.stream().map(Choice::label).toList());
      }
    }

    /**
     * The letter of the correct choice by its position (some data counts 1 to 4); null if it is to
     * be predicted.
     */
    public String letter() {
      return answer == null ? null : letters().get(rightChoice());
    }

    /** The index of the correct choice; −1 if it is to be predicted. */
    public int rightChoice() {
      return choices.stream().map(Choice::label).toList().indexOf(answer);
    }

    /** The letters of the choices in the prompt, in order. */
    public List<String> letters() {
      return IntStream.range(0, choices.size())
          .mapToObj(index -> String.valueOf((char) ('A' + index)))
          .toList();
    }

    /** The instruction that the method's authors train on for question answering. */
    public Instruction toInstruction() {
      return instruction(letter());
    }

    /** The same instruction once for each choice, as if that choice were correct. */
    public List<Instruction> candidates() {
      return letters().stream().map(this::instruction).toList();
    }

    private Instruction instruction(String letter) {
      StringBuilder text = new StringBuilder();
      if (context != null) {
        text.append("Context: ").append(context.isEmpty() ? "N/A" : context).append('\n');
      }
      text.append("Question: ").append(question).append("\nOptions:");
      for (int i = 0; i < choices.size(); i++) {
        text.append(" (").append(letters().get(i)).append(") ").append(choices.get(i).text());
      }
      text.append('\n');
      String output = letter == null ? "" : "Answer: The answer is " + letter + ".";
      return new Instruction(text.toString(), "", output, letter);
    }

    @Override
    public List<String> content() {
      List<String> content = fields("multiple-choice", context, question, answer);
      for (Choice choice : choices) {
        content.add(choice.label());
        content.add(choice.text());
      }
      return content;
    }
  }

  /** A record with one label of a {@link LabelSet}. */
  sealed interface Labelled extends TextRecord {
    /** Null if it is to be predicted. */
    String label();
  }

  /** One text and its label. */
  record Sentence(String text, String label) implements Labelled {
    @Override
    public List<String> content() {
      return fields("sentence", text, label);
    }
  }

  /** Two texts and the label of their relation. */
  record SentencePair(String first, String second, String label) implements Labelled {
    @Override
    public List<String> content() {
      return fields("sentence-pair", first, second, label);
    }
  }

  private static List<String> fields(String... fields) {
    return new ArrayList<>(Arrays.asList(fields));
  }
}
