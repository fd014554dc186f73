package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.adapter.ModelCard.Score;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestModelCard {

  private static final Configuration CONF = new Configuration();

  private final AdapterDescription decoder =
      Adapters.random(
              TinyModels.llama(1), List.of(List.of(3, 1), List.of(2)), KernelsUnderTest.any())
          .description();

  @TempDir private Path directory;

  @Test
  void theCardSaysWhatIsKnown() throws IOException {
    ModelCard card =
        new ModelCard(
            decoder,
            new GuilomoFormat(),
            Optional.of("weekly-7"),
            List.of(
                new Score("test", "accuracy", 0.89666, 0.8633, 0.93, 1300),
                new Score("test", "loss", 0.25, Double.NaN, Double.NaN, 1300)),
            Optional.empty());
    assertThat(card.text())
        .isEqualTo(
            """
            ---
            library_name: guilomo
            pipeline_tag: text-generation
            tags:
            - guilomo
            - lora
            - mixture-of-experts
            ---

            # weekly-7, adapted with GuiLoMo

            An adapter: LoRA experts on the frozen model. Its experts were allocated and trained with GuiLoMo on Spark (the method: arXiv 2506.14646).

            | | |
            |---|---|
            | model | `models/tiny` |
            | SHA-256 of its tensors | `tiny` |
            | run | `weekly-7` |
            | task | causal-lm |
            | longest training sequence | 32 tokens |
            | allocation | strategy file, seed 3 |
            | modules with experts | 14 in 2 layers |
            | experts | 21, 1 to 2 a module, 1 to 2 of them for each token |
            | ranks | 1 to 3, 42 in all |
            | parameters of the plan | 1,752 |
            | scaling | alpha-over-rank, alpha 16 |

            ## Scores

            What `evaluate` recorded for the run:

            | records | metric | value | confidence interval | number of records |
            |---|---|---|---|---|
            | test | accuracy | 0.8967 | 0.8633 to 0.9300 | 1,300 |
            | test | loss | 0.2500 |  | 1,300 |

            ## Use

            With the Python package in `deploy/python` of GuiLoMo on Spark, PyTorch and transformers:

            ```python
            import guilomo
            from transformers import AutoTokenizer

            model = guilomo.load("models/tiny", ".")
            tokenizer = AutoTokenizer.from_pretrained("models/tiny")
            print(guilomo.generate(model, tokenizer, "…"))
            ```

            On Spark: `deploy/guilomo predict --set evaluate.adapter=DIRECTORY`.
            """);
  }

  @Test
  void eachFormatSaysHowItIsRead() {
    AdapterDescription single =
        Adapters.random(TinyModels.bert(1), List.of(List.of(3), List.of(5)), KernelsUnderTest.any())
            .description();
    assertThat(text(single, PeftFormat.unpadded()))
        .contains(
            "library_name: peft\npipeline_tag: text-classification\ntags:\n- guilomo\n- lora\n---\n")
        .contains("| labels | `no`, `yes`, `perhaps` |\n| pooling | mean |\n")
        .contains("from_pretrained(\"models/tiny\", num_labels=3, ignore_mismatched_sizes=True)\n")
        .endsWith("pool the states (`mean`) and apply the classifier to them.\n");
    assertThat(text(decoder, PeftFormat.padded(8)))
        .endsWith("vLLM serves it with `--enable-lora`, and `--max-lora-rank` of at least 8.\n");
    assertThat(text(single, MergedFormat.usual()))
        .contains("library_name: transformers\n")
        .contains("model = AutoModelForSequenceClassification.from_pretrained(\".\")\n");
    assertThat(text(Adapters.sharing(decoder), new GuilomoFormat()))
        .contains("| ranks | 1 to 3, 42 in all, of one A a module |\n");
    assertThat(text(decoder, new ReleasedAdapterFormat()))
        .contains("library_name: guilomo\n")
        .contains("alpha and top-k as arguments:\n16.0 and 2 here.\n");
    assertThat(text(decoder, new ReleasedAdapterFormat()))
        .doesNotContain("license", "language", "## Scores");
  }

  /** What a user chose cannot end a cell or the front matter. */
  @Test
  void namesDoNotBreakTheTable() {
    AdapterDescription odd =
        new AdapterDescription(
            decoder.plan(),
            "C:\\models\\\"tiny\"\n---",
            decoder.backboneDigest(),
            decoder.paths(),
            Task.CLASSIFICATION,
            List.of("a|b", "c\nd", "e`f"),
            Pooling.LAST,
            32,
            null);
    assertThat(text(odd, new GuilomoFormat()))
        .doesNotContain("base_model")
        .contains("| model | `C:\\models\\\"tiny\" ---` |\n")
        .contains("| labels | `a\\|b`, `c d`, `` e`f `` |\n");
  }

  /** Where the model was is of no use to others. */
  @Test
  void noLocalPathIsInTheCard() {
    for (String path : List.of("/home/me/models/tiny", "file:/home/me/models/tiny/")) {
      for (AdapterFormat format : List.of(new GuilomoFormat(), PeftFormat.unpadded())) {
        assertThat(text(with(path), format))
            .doesNotContain("/home/me", "base_model")
            .contains("| model | `tiny` |\n", "(\"tiny\"");
      }
    }
    assertThat(text(with("s3a://models/tiny"), new GuilomoFormat()))
        .doesNotContain("base_model")
        .contains("| model | `s3a://models/tiny` |\n");
  }

  /** A path of two names may look like the id of a model on the hub, whose it would be. */
  @Test
  void aRelativePathIsNoModelOfTheHub() {
    for (String path : List.of("gpt2", "models/all-minilm-l6-v2")) {
      assertThat(text(with(path), new GuilomoFormat()))
          .doesNotContain("base_model")
          .contains("| model | `" + path + "` |\n");
    }
  }

  private AdapterDescription with(String backbone) {
    return new AdapterDescription(
        decoder.plan(),
        backbone,
        decoder.backboneDigest(),
        decoder.paths(),
        decoder.task(),
        decoder.labels(),
        decoder.pooling(),
        decoder.maxLength(),
        decoder.template());
  }

  @Test
  void onlyCardsOfExportsAreReplaced() throws IOException {
    Adapter adapter =
        Adapters.random(TinyModels.llama(1), List.of(List.of(2)), KernelsUnderTest.any());
    Path card = directory.resolve("README.md");
    for (AdapterFormat format :
        List.of(new GuilomoFormat(), new ReleasedAdapterFormat(), PeftFormat.unpadded())) {
      Files.writeString(card, "# The model\n");
      assertThatThrownBy(() -> format.write(adapter, hadoop(), CONF))
          .isInstanceOf(UserException.class)
          .hasMessage(
              "Cannot write the model card %s: a README.md that guilomo did not write is there;"
                  + " name another directory",
              new org.apache.hadoop.fs.Path(hadoop(), "README.md"));
      assertThat(directory.toFile().list()).containsExactly("README.md");
    }
    Files.delete(card);
    for (int time = 0; time < 2; time++) {
      assertThat(new GuilomoFormat().write(adapter, hadoop(), CONF).files())
          .extracting(file -> file.getName())
          .containsExactly("README.md", "adapter.safetensors", "manifest.json");
    }
    assertThat(card).content().startsWith("---\n").contains("\n- guilomo\n");
  }

  @Test
  void theLicenseIsThatOfTheModelsCard() throws IOException {
    assertThat(ModelCard.license("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model"))
        .hasValue("apache-2.0");
    assertThat(ModelCard.license("---\ntags:\n---\nlicense: mit\n")).isEmpty();
    assertThat(ModelCard.license("# license: mit")).isEmpty();
    assertThat(ModelCard.license("---\nlicense: [a, b]\n---\n")).isEmpty();
    assertThat(ModelCard.license("")).isEmpty();
    Files.writeString(directory.resolve("README.md"), "---\nlicense: llama3.1\n---\n");
    MergedFormat format =
        new MergedFormat(Optional.of(directory.toString()), MergedFormat.MAX_SHARD_BYTES);
    Optional<String> license = format.license(decoder, CONF);
    assertThat(new ModelCard(decoder, format, Optional.empty(), List.of(), license).text())
        .contains("\nlicense: llama3.1\ntags:\n", "\n# tiny, adapted with GuiLoMo\n");
    assertThat(new GuilomoFormat().license(decoder, CONF)).isEmpty();
  }

  private static String text(AdapterDescription description, AdapterFormat format) {
    return new ModelCard(description, format, Optional.empty(), List.of(), Optional.empty()).text();
  }

  private org.apache.hadoop.fs.Path hadoop() {
    return new org.apache.hadoop.fs.Path(directory.toUri());
  }
}
