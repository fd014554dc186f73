package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.GenerationConfig;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.TextRecord;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.inference.Answer;
import io.guilomo.inference.Predictor;
import io.guilomo.io.Tokenizer;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.Task;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.TinyModels;
import io.guilomo.uncertainty.Predictive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The package in {@code deploy/python} as its users have it; {@link Python} says with which. */
class TestPythonPackage {

  private static final Configuration CONF = new Configuration();
  private static final int TOKENS = 12;

  private final Kernels kernels = KernelsUnderTest.any();

  @TempDir private Path directory;

  @Test
  void thePackagesCommandExplainsItself() throws Exception {
    Python.require("torch", "transformers");
    Python.Result help = command("--help");
    assertThat(help.status()).isZero();
    assertThat(help.out()).startsWith("usage: python -m guilomo").contains("--max-new-tokens");
    assertThat(command(directory.toString(), "model", "text"))
        .isEqualTo(
            new Python.Result(
                2,
                "",
                "error: Cannot read the adapter " + directory + ": it has no manifest.json\n"));
    // The shim for programs of the first releases.
    assertThat(
            python()
                .run("-c", "import load_adapter as l; print(l.load_adapter, l.load_classifier)"))
        .extracting(Python.Result::status)
        .isEqualTo(0);
  }

  /** Whether Python has PyTorch or not: {@code None} in {@code sys.modules} is no module. */
  @Test
  void withoutPyTorchTheCommandSaysSo() throws Exception {
    Python.require("json");
    String without =
        """
        import sys
        sys.modules["torch"] = None
        import guilomo.__main__
        sys.exit(guilomo.__main__.main(sys.argv[1:]))
        """;
    Python.Result help = python().run("-c", without, "--help");
    assertThat(help.status()).as(help.err()).isZero();
    Python.Result found = python().run("-c", without, directory.toString(), "model", "text");
    assertThat(found.status()).isEqualTo(2);
    assertThat(found.err()).startsWith("error: ").contains("torch").hasLineCount(1);
  }

  /** Whether Python has PyTorch or not: what is computed is given here. */
  @Test
  void aResponseEndsWhereOursDoes() throws Exception {
    Python.require("json");
    String program =
        """
        import sys
        from unittest import mock
        for name in ("torch", "torch.nn", "torch.nn.functional"):
            sys.modules[name] = mock.MagicMock()
        import guilomo.adapters as adapters

        class Words:
            eos_token_id = 0
            def __call__(self, text, **options):
                return {"input_ids": mock.MagicMock() if "return_tensors" in options else text.split()}
            def decode(self, words, skip_special_tokens):
                return " ".join(words)
            def apply_chat_template(self, messages, **options):
                return "".join(m["content"] + " [end] [turn]\\n" for m in messages)

        def said(response, chat):
            template = {"with-input": "{input}{instruction}", "without-input": "{instruction}",
                        "response-marker": "### Response:"}
            about = {"prompt-template": template | ({"chat": {"template": "x"}} if chat else {})}
            adapters.continued = lambda *arguments, **options: response.split()
            model = mock.MagicMock(guilomo_manifest=about, generation_config=None)
            print(repr(adapters.generate(model, Words(), "Name one.")))

        said("red [end] [turn] Name another", True)
        said("red [end] [turn] more", False)
        said("blue ### Response: red ### Response: green", False)
        said("plain", True)

        def read(*texts):
            def tokens(*given, **options):
                print(given)
                raise SystemExit
            try:
                adapters.classify(mock.MagicMock(), tokens, *texts)
            except SystemExit:
                pass

        read("one")
        read("one", " ")
        read("one", "two")
        """;
    Python.Result found = python().run("-c", program);
    assertThat(found.err()).isEmpty();
    assertThat(found.out())
        .isEqualTo(
            """
            'red'
            'red [end] [turn] more'
            'blue'
            'plain'
            ('one',)
            ('one',)
            ('one', 'two')
            """);
  }

  @Test
  void aDeviceThatIsNotThereIsAUsersMistake() throws Exception {
    Python.require("torch", "transformers");
    Path model = GoldenFiles.models().resolve("stories260K-hf").toAbsolutePath();
    adapted(model, Task.CAUSAL_LM, null);
    Python.Result found =
        command(directory.toString(), model.toString(), "text", "--device", "nowhere");
    assertThat(found.status()).as(found.err()).isEqualTo(2);
    assertThat(found.err().lines().filter(line -> line.startsWith("error: "))).hasSize(1);
    assertThat(found.err()).doesNotContain("Traceback");
  }

  /** Text in, text out: prompt, tokenizer, generation and classes. */
  @ParameterizedTest
  @EnumSource(names = {"CAUSAL_LM", "CLASSIFICATION"})
  void theCommandAnswersAsPredictDoes(Task task) throws Exception {
    Python.require("torch", "transformers");
    Path model = GoldenFiles.models().resolve("stories260K-hf").toAbsolutePath();
    String text = "Once upon a time there was a girl";
    TextRecord record =
        task == Task.CLASSIFICATION
            ? new TextRecord.Sentence(text, null)
            : new TextRecord.Instruction(text, "", "", null);
    Answer expected = adapted(model, task, record);
    Python.Result found =
        command(directory.toString(), model.toString(), text, "--max-new-tokens", "" + TOKENS);
    assertThat(found.status()).as(found.err()).isZero();
    if (task == Task.CAUSAL_LM) {
      assertThat(found.out().strip()).isEqualTo(expected.generated().strip()).isNotEmpty();
      return;
    }
    assertThat(found.out()).hasLineCount(3).contains("  " + expected.prediction() + "\n");
    found
        .out()
        .lines()
        .forEach(
            line ->
                assertThat(Double.parseDouble(line.substring(0, 6)))
                    .isCloseTo(expected.probabilities().get(line.substring(8)), within(2e-4)));
  }

  /** An adapter on a model of another shape, on one that has an adapter, and with other tensors. */
  @Test
  void whatDoesNotFitIsRefused() throws Exception {
    Python.require("torch", "transformers");
    Path model = GoldenFiles.require("families/qwen2");
    adapted(model, Task.CAUSAL_LM, null);
    String adapter = directory.toString();
    String load =
        """
        import sys, guilomo, transformers
        try:
            model = guilomo.load(sys.argv[1], sys.argv[2])
            guilomo.load(model, sys.argv[2])
        except ValueError as error:
            print(error)
        """;
    assertThat(python().run("-c", load, model.toString(), adapter).out())
        .isEqualTo(
            "Cannot put a second adapter on model.layers.0.self_attn.q_proj: load the model again\n");
    assertThat(
            python()
                .run(
                    "-c",
                    load,
                    GoldenFiles.require("families/llama_headdim_bias").toString(),
                    adapter)
                .out())
        .startsWith("Cannot put the adapter on model.layers.0.self_attn.")
        .endsWith("is it the model that the adapter was trained with?\n");
    Files.write(Path.of(adapter, "adapter.safetensors"), new byte[] {1}, StandardOpenOption.APPEND);
    assertThat(python().run("-c", load, model.toString(), adapter).out())
        .isEqualTo(
            "Cannot read the adapter %s: adapter.safetensors is not that of its manifest\n"
                .formatted(adapter));
  }

  /**
   * Writes a random adapter, and answers a record with it.
   *
   * @param record null for none
   */
  private Answer adapted(Path model, Task task, TextRecord record) throws IOException {
    Backbone backbone = ModelReader.load(model.toString(), CONF, FrozenCopies.memory(kernels));
    kernels.finish();
    AdapterDescription description =
        Adapters.description(
            backbone, model, task, Pooling.AUTO, List.of(List.of(2, 3, 1), List.of(1, 4)));
    try (LoraMoeNetwork network =
        LoraMoeNetwork.create(
            new Adapter(description, Map.of()).definition(backbone.config(), model.toString()),
            backbone,
            kernels)) {
      TinyModels.shake(network, 3, 0.02);
      Adapter adapter =
          Adapter.of(
              description, NamedParameters.of(network.definition(), network.host().parameters()));
      new GuilomoFormat().write(adapter, new org.apache.hadoop.fs.Path(directory.toUri()), CONF);
      if (record == null) {
        return null;
      }
      Predictor.Options options =
          new Predictor.Options(
              List.of(Answer.GENERATION), new GenerationConfig(TOKENS, 0, 1, 0, List.of(), ""), 0);
      return Predictor.of(
              description,
              network,
              Tokenizer.load(model.toString(), CONF),
              options,
              Predictive.TRAINED)
          .answer(List.of(record))
          .get(0);
    }
  }

  private Python python() {
    return new Python(directory);
  }

  private Python.Result command(String... arguments) throws Exception {
    return python()
        .run(
            Stream.concat(Stream.of("-m", "guilomo"), Stream.of(arguments)).toArray(String[]::new));
  }
}
