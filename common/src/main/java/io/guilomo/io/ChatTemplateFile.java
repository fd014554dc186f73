package io.guilomo.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.ChatTemplate;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/**
 * Reads the chat template of a model: {@code chat_template.jinja}, or {@code chat_template} in
 * {@code tokenizer_config.json} or {@code chat_template.json}, which is a text or a list of named
 * texts, of which the one called {@code default} is used.
 */
public final class ChatTemplateFile {

  static final String FILE = "chat_template.jinja";

  private static final String KEY = "chat_template";
  private static final List<String> JSON_FILES =
      List.of(SpecialTokens.SETTINGS, "chat_template.json");
  private static final List<String> TOKEN_FILES =
      List.of("special_tokens_map.json", SpecialTokens.SETTINGS);

  private ChatTemplateFile() {}

  /**
   * The template in a model directory; empty if it has none.
   *
   * @throws UserException with the line of a template that cannot be parsed
   */
  public static Optional<ChatTemplate> read(String uri, Configuration conf) throws IOException {
    ModelDirectory directory = ModelDirectory.open(uri, conf);
    Optional<String> source = source(directory);
    return source.isEmpty()
        ? Optional.empty()
        : Optional.of(new ChatTemplate(source.get(), tokens(directory)));
  }

  /**
   * Another template with the special tokens of a model.
   *
   * @throws UserException with the line of a template that cannot be parsed
   */
  public static ChatTemplate with(String source, String uri, Configuration conf)
      throws IOException {
    return new ChatTemplate(source, tokens(ModelDirectory.open(uri, conf)));
  }

  static Optional<String> source(ModelDirectory directory) throws IOException {
    if (directory.has(FILE)) {
      String text = new String(directory.bytes(FILE), StandardCharsets.UTF_8);
      return text.isBlank() ? Optional.empty() : Optional.of(text);
    }
    for (String file : JSON_FILES) {
      if (directory.has(file)) {
        JsonNode template = directory.json(file).path(KEY);
        boolean blank = template.isTextual() && template.textValue().isBlank();
        if (!template.isMissingNode() && !template.isNull() && !blank) {
          return Optional.of(text(template, directory, file));
        }
      }
    }
    return Optional.empty();
  }

  private static String text(JsonNode template, ModelDirectory directory, String file) {
    if (template.isTextual()) {
      return template.textValue();
    }
    for (JsonNode named : template) {
      if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
        return named.path("template").textValue();
      }
    }
    throw directory.refuse(
        "chat_template in %s is neither a text nor a list with one called default".formatted(file));
  }

  private static Map<String, String> tokens(ModelDirectory directory) throws IOException {
    Map<String, String> tokens = new TreeMap<>();
    for (String file : TOKEN_FILES) {
      if (directory.has(file)) {
        directory
            .json(file)
            .fields()
            .forEachRemaining(
                field -> {
                  JsonNode token = field.getValue();
                  JsonNode text = token.isObject() ? token.path("content") : token;
                  boolean named = text.isTextual() && !text.textValue().isBlank();
                  if (field.getKey().endsWith("_token") && named) {
                    tokens.put(field.getKey(), text.textValue());
                  }
                });
      }
    }
    return tokens;
  }
}
