package io.guilomo.spark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A checkpoint of random weights with a tokenizer that knows the words w4 to w63. */
public final class TinyModel {

  /** Of the checkpoints' vocabularies. */
  private static final int VOCABULARY = 64;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String TOKENIZER =
      """
      {"version":"1.0","truncation":null,"padding":null,
       "added_tokens":[
         {"id":0,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
         {"id":1,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
         {"id":2,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
       "normalizer":null,"pre_tokenizer":{"type":"WhitespaceSplit"},
       "post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",0]},
       "decoder":null,"model":{"type":"WordLevel","unk_token":"[UNK]"}}
      """;

  private TinyModel() {}

  /**
   * Copies a checkpoint and writes its tokenizer.
   *
   * @param model the directory to create
   */
  public static Path of(Path checkpoint, Path model) throws IOException {
    Files.createDirectory(model);
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(checkpoint.resolve(file), model.resolve(file));
    }
    ObjectNode tokenizer = (ObjectNode) JSON.readTree(TOKENIZER);
    ObjectNode words = ((ObjectNode) tokenizer.get("model")).putObject("vocab");
    for (String special : List.of("[CLS]", "[PAD]", "[SEP]", "[UNK]")) {
      words.put(special, words.size());
    }
    while (words.size() < VOCABULARY) {
      words.put("w" + words.size(), words.size());
    }
    Files.writeString(model.resolve("tokenizer.json"), tokenizer.toString());
    Files.writeString(
        model.resolve("tokenizer_config.json"),
        "{\"eos_token\":\"[SEP]\",\"pad_token\":\"[PAD]\"}");
    return model;
  }
}
