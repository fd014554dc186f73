package io.guilomo.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * The vocabulary of a tokenizer, and what the files of its model say about special tokens.
 *
 * @param settings {@code tokenizer_config.json}; a missing node if the directory has none
 * @param config {@code config.json}; a missing node if the directory has none
 * @param generation {@code generation_config.json}; a missing node if the directory has none
 */
record SpecialTokens(
    Map<String, Integer> ids, JsonNode settings, JsonNode config, JsonNode generation) {

  private static final String SETTINGS = "tokenizer_config.json";
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
    tokenizer
        .path("added_tokens")
        .forEach(token -> ids.put(token.path("content").asText(), token.path("id").asInt(-1)));
    ids.values().removeIf(id -> id < 0);
    return new SpecialTokens(
        ids,
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
