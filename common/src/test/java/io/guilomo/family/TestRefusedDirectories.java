package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.golden.GoldenFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Directories that hold no model, or one in a form that cannot be read. */
class TestRefusedDirectories {

  private static final Configuration CONF = new Configuration();

  private static final String LLAMA =
      """
      {"architectures":["LlamaForCausalLM"],"hidden_size":8,"intermediate_size":6,"num_hidden_layers":2,
       "num_attention_heads":4,"vocab_size":5}
      """;

  @TempDir Path dir;

  @Test
  void refusesDirectories() throws IOException {
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: it contains neither model.safetensors nor model.safetensors.index.json nor an ONNX file",
            path());
    Files.createFile(dir.resolve("pytorch_model.bin"));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: it contains only pickle files (pytorch_model.bin), which are never read; "
                + "convert them with python3 -c \"import transformers as t; t.AutoModelForCausalLM.from_pretrained('%s')"
                + ".save_pretrained('%s-converted')\" and copy the tokenizer's files",
            path(), path(), path());
    Files.move(dir.resolve("pytorch_model.bin"), dir.resolve("m.gguf"));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %1$s: it contains only GGUF files (m.gguf), which are not read; take the model that they"
                + " were made from, or convert one with python3 -c \"import transformers as t;"
                + " t.AutoTokenizer.from_pretrained('%1$s', gguf_file='m.gguf').save_pretrained('%1$s-converted');"
                + " t.AutoModelForCausalLM.from_pretrained('%1$s', gguf_file='m.gguf')"
                + ".save_pretrained('%1$s-converted')\"",
            path());
    Files.move(dir.resolve("m.gguf"), dir.resolve("pytorch_model.bin"));
    Files.createFile(dir.resolve("model.safetensors"));
    assertThatThrownBy(this::load)
        .hasMessage("Cannot load %s: it has no config.json, which tells the architecture", path());
    assertThatThrownBy(() -> ModelReader.load(dir.resolve("absent").toString(), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot load %s: there is no such directory", dir.resolve("absent"));
    assertThatThrownBy(() -> ModelReader.load(dir.resolve("pytorch_model.bin").toString(), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot load %s: it is a file, not a directory with a model",
            dir.resolve("pytorch_model.bin"));
    assertThatThrownBy(() -> ModelReader.load("nowhere://x/y", CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot load nowhere://x/y: No FileSystem for scheme \"nowhere\"");
    assertThatThrownBy(() -> ModelReader.load("", CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot load a model: its path is not valid");
  }

  /** What is there in a clone that has not fetched its large files. */
  @ParameterizedTest
  @ValueSource(
      strings = {"config.json", "model.safetensors", "model.onnx", "model.safetensors.index.json"})
  void refusesPointersOfGitLfs(String name) throws IOException {
    if (!name.endsWith(".json") || name.contains("index")) {
      Files.writeString(dir.resolve("config.json"), LLAMA);
    } else {
      Files.createFile(dir.resolve("model.safetensors"));
    }
    Path pointer = GoldenFiles.cases().resolve("models/lfs-pointer/model.safetensors");
    Files.copy(pointer, dir.resolve(name));
    assertThatThrownBy(this::load)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read %s: it is a Git LFS pointer, not the file that it stands for; run git lfs pull in the"
                + " clone, or download the model with hf download",
            dir.resolve(name));
  }

  private void load() throws IOException {
    ModelReader.check(dir.toString(), CONF);
  }

  private String path() {
    return dir.toString();
  }
}
