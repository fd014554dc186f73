package io.guilomo.spark.input;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.ChatTemplate;
import io.guilomo.data.PromptTemplate;
import io.guilomo.io.ChatTemplateFile;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;

/** The prompt template that {@code data.prompt-template} names. */
public final class PromptTemplates {

  private static final int MAX_BYTES = 1 << 20;

  private PromptTemplates() {}

  /**
   * @throws UserException if there is no such template, or a chat template cannot be rendered
   */
  public static PromptTemplate of(GuilomoConfig config, Configuration hadoop) throws IOException {
    String name = config.data().promptTemplate();
    PromptTemplate alpaca = PromptTemplate.alpaca();
    if (name.equals("alpaca")) {
      return alpaca;
    }
    if (name.equals("auto")) {
      return own(config, hadoop)
          .map(template -> alpaca.with(new PromptTemplate.Chat(template, false)))
          .orElse(alpaca);
    }
    if (name.equals("chat")) {
      ChatTemplate template =
          own(config, hadoop)
              .orElseThrow(
                  () ->
                      new UserException(
                          "Cannot use guilomo.data.prompt-template = chat: %s has no chat template,"
                              + " neither in chat_template.jinja nor in tokenizer_config.json",
                          config.model().path()));
      return alpaca.with(new PromptTemplate.Chat(template, true));
    }
    String text = text(name, hadoop);
    if (!name.endsWith(".jinja")) {
      return PromptTemplate.fromJson(text);
    }
    ChatTemplate template = ChatTemplateFile.with(text, config.model().requirePath(), hadoop);
    template.check();
    return alpaca.with(new PromptTemplate.Chat(template, true));
  }

  private static Optional<ChatTemplate> own(GuilomoConfig config, Configuration hadoop)
      throws IOException {
    String model = config.model().requirePath();
    Optional<ChatTemplate> template = ChatTemplateFile.read(model, hadoop);
    template.ifPresent(ChatTemplate::check);
    return template;
  }

  private static String text(String name, Configuration hadoop) throws IOException {
    UserPath given = UserPath.open(name, hadoop);
    try (FSDataInputStream in = given.files().open(given.path())) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new UserException(
            "Cannot use guilomo.data.prompt-template = %s: it is larger than 1 MiB; is it a"
                + " template?",
            name);
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw new UserException(
          "Cannot use guilomo.data.prompt-template = %s: it is neither auto, alpaca nor chat, nor"
              + " is there such a file",
          name);
    }
  }
}
