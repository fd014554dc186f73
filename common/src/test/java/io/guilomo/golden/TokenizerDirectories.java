package io.guilomo.golden;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Tokenizers of published models, which are not part of this project: system property {@code
 * guilomo.tokenizers} names a directory with one folder for each, by default {@code tokenizers}
 * beside the golden vectors. Tests that need them are skipped where they are absent.
 */
public final class TokenizerDirectories {

  private static final String PROPERTY = "guilomo.tokenizers";

  private TokenizerDirectories() {}

  /** The folder of a tokenizer; skips the running test where it is absent. */
  public static Path require(String name) {
    String given = System.getProperty(PROPERTY, "");
    Path root = given.isBlank() ? GoldenFiles.root().resolveSibling("tokenizers") : Path.of(given);
    Path folder = root.resolve(name);
    if (!Files.isDirectory(folder) && name.equals("llama2")) {
      folder = GoldenFiles.models().resolve("llama2-hf-tokenizer");
    }
    Assumptions.assumeTrue(
        Files.isDirectory(folder),
        "no tokenizer in " + folder + ": see common/README.md for how to get it");
    return folder;
  }
}
