package io.guilomo.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/**
 * How a user turns a checkpoint that cannot be read into one that can: with Hugging Face's
 * transformers, in one line of Python.
 *
 * @param architecture class that loads the model
 */
record Conversion(String path, String architecture) {

  static Conversion of(ModelDirectory directory) throws IOException {
    JsonNode config =
        directory.has(ModelDirectory.CONFIG) ? directory.json(ModelDirectory.CONFIG) : null;
    JsonNode named = config == null ? null : config.path("architectures").path(0);
    boolean plain = named != null && named.asText("").matches("[A-Za-z0-9_]+");
    return new Conversion(
        directory.path().toUri().getPath(), plain ? named.asText() : "AutoModelForCausalLM");
  }

  /** From pickled weights. */
  String toSafetensors() {
    return python("%s.from_pretrained('%s')".formatted(architecture, path), "");
  }

  /** From a GGUF file, which brings configuration and tokenizer along. */
  String fromGguf(String file) {
    String arguments = "('%s', gguf_file='%s')".formatted(path, file);
    return python(
        "AutoModelForCausalLM.from_pretrained" + arguments,
        " t.AutoTokenizer.from_pretrained%s.save_pretrained('%s-converted');"
            .formatted(arguments, path));
  }

  private String python(String load, String before) {
    return "python3 -c \"import transformers as t;%s t.%s.save_pretrained('%s-converted')\""
        .formatted(before, load, path);
  }
}
