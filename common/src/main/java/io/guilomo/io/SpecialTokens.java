package io.guilomo.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The vocabulary of a tokenizer, and what the files of its model say about special tokens.
 *
 * @param added the tokens beside the vocabulary itself, and whether they are special
 * @param settings {@code tokenizer_config.json}; a missing node if the directory has none
 * @param config {@code config.json}; a missing node if the directory has none
 * @param generation {@code generation_config.json}; a missing node if the directory has none
 */
record SpecialTokens(
    Map<String, Integer> ids,
    Map<String, Boolean> added,
    JsonNode settings,
    JsonNode config,
    JsonNode generation) {

  static final String SETTINGS = "tokenizer_config.json";
  private static final String GENERATION = "generation_config.json";
  private static final Set<String> LLAMA_CLASSES = Set.of("LlamaTokenizer", "LlamaTokenizerFast");

  /** Common names of the tokens, used if no file names them. */
  private static final Map<String, List<String>> USUAL =
      Map.of(
          "bos", List.of("<s>", "<|begin_of_text|>"),
          "eos", List.of("</s>", "<|end_of_text|>"),
          "pad", List.of("[PAD]", "<pad>"),
          "cls", List.of("[CLS]"),
          "sep", List.of("[SEP]"));

  static SpecialTokens read(ModelDirectory directory, JsonNode tokenizer) throws IOException {
    Map<String, Integer> ids = new HashMap<>();
    JsonNode vocabulary = tokenizer.path("model").path("vocab");
    if (vocabulary.isArray()) {
      for (int id = 0; id < vocabulary.size(); id++) {
        ids.put(vocabulary.get(id).path(0).asText(), id);
      }
    }
    vocabulary
        .fields()
        .forEachRemaining(field -> ids.put(field.getKey(), field.getValue().asInt(-1)));
    Map<String, Boolean> added = new TreeMap<>();
    for (JsonNode token : tokenizer.path("added_tokens")) {
      ids.put(token.path("content").asText(), token.path("id").asInt(-1));
      added.put(token.path("content").asText(), token.path("special").asBoolean());
    }
    ids.values().removeIf(id -> id < 0);
    return new SpecialTokens(
        ids,
        added,
        optional(directory, SETTINGS),
        optional(directory, ModelDirectory.CONFIG),
        optional(directory, GENERATION));
  }

  private static JsonNode optional(ModelDirectory directory, String name) throws IOException {
    return directory.has(name) ? directory.json(name) : MissingNode.getInstance();
  }

  int vocabulary() {
    return ids.values().stream().mapToInt(id -> id + 1).max().orElse(0);
  }

  /** The added tokens that are no text, such as the one that ends a turn. */
  Set<String> control() {
    return added.keySet().stream().filter(added::get).collect(Collectors.toUnmodifiableSet());
  }

  /** Number of token ids that the model knows; empty if its configuration does not say. */
  OptionalInt modelVocabulary() {
    JsonNode size = config.path("vocab_size");
    JsonNode nested = config.path("text_config").path("vocab_size");
    JsonNode given = size.isMissingNode() ? nested : size;
    return given.canConvertToInt() && given.intValue() > 0
        ? OptionalInt.of(given.intValue())
        : OptionalInt.empty();
  }

  /**
   * What every text can produce although the model does not know it: tokens of the vocabulary
   * itself, and those that begin or end a text. Others, such as one for padding, may lie beyond the
   * model's vocabulary as long as no text contains them.
   *
   * @param template the chat template, whose special tokens count too; empty if there is none
   */
  List<String> unknownToModel(String template) {
    int known = modelVocabulary().orElse(Integer.MAX_VALUE);
    Set<Integer> framing =
        Stream.of("bos", "eos", "cls", "sep")
            .flatMapToInt(role -> named(role).stream())
            .boxed()
            .collect(Collectors.toSet());
    return ids.entrySet().stream()
        .filter(token -> token.getValue() >= known)
        .filter(
            token ->
                !added.containsKey(token.getKey())
                    || framing.contains(token.getValue())
                    || template.contains(token.getKey()))
        .sorted(Map.Entry.comparingByValue())
        .map(token -> token.getKey() + " " + token.getValue())
        .toList();
  }

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /**
   * The id of the special token with a role: {@code bos}, {@code eos}, {@code pad}, {@code cls} or
   * {@code sep}.
   */
  OptionalInt named(String role) {
    JsonNode token = settings.path(role + "_token");
    String text = token.isObject() ? token.path("content").asText() : token.asText("");
    if (ids.containsKey(text)) {
      return id(text);
    }
    JsonNode configured = config.path(role + "_token_id");
    JsonNode first = configured.isArray() ? configured.path(0) : configured;
    if (first.isIntegralNumber() && first.intValue() >= 0) {
      return OptionalInt.of(first.intValue());
    }
    return USUAL.get(role).stream().filter(ids::containsKey).mapToInt(ids::get).findFirst();
  }

  /**
   * The end of a sequence by the tokenizer, {@code config.json} and {@code generation_config.json},
   * which alone names the end of a chat model's turn.
   */
  Set<Integer> stopTokens() {
    Set<Integer> stops = new TreeSet<>();
    named("eos").ifPresent(stops::add);
    for (JsonNode file : List.of(config, generation)) {
      JsonNode ends = file.path("eos_token_id");
      (ends.isArray() ? ends : List.of(ends))
          .forEach(
              id -> {
                if (id.isIntegralNumber() && id.canConvertToInt() && id.intValue() >= 0) {
                  stops.add(id.intValue());
                }
              });
    }
    return stops;
  }

  /** Whether Hugging Face frames a text according to {@link #addBos} and {@link #addEos}. */
  boolean llamaClass() {
    return LLAMA_CLASSES.contains(settings.path("tokenizer_class").asText());
  }

  boolean addBos() {
    return settings.path("add_bos_token").asBoolean(true);
  }

  boolean addEos() {
    return settings.path("add_eos_token").asBoolean(false);
  }
}
