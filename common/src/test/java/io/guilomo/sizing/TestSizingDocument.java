package io.guilomo.sizing;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Rope;
import io.guilomo.network.Stage;
import io.guilomo.sizing.MemoryEstimate.DriverMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Every figure of {@code deploy/SIZING.md}, computed again from the shapes of public models. */
class TestSizingDocument {

  private static final Path DOCUMENT = Path.of("../deploy/SIZING.md");
  private static final int LENGTH = 256;

  /** The batch of {@code conf/llama2-7b.conf}. */
  private static final BatchShape BATCH = new BatchShape(8, LENGTH);

  private static final GuilomoConfig CONFIG = GuilomoConfig.load(null, List.of());
  private static final GuilomoConfig RECOMPUTING =
      GuilomoConfig.load(null, List.of("search.recompute=blocks", "finetune.recompute=blocks"));

  private static final LlamaConfig LLAMA_2 =
      new LlamaConfig(
          4096, 11008, 32, 32, 32, 128, 32000, 4096, 1e-5f, new Rope(10000, null), 0, false);
  private static final LlamaConfig LLAMA_3 =
      new LlamaConfig(
          4096, 14336, 32, 32, 8, 128, 128256, 8192, 1e-5f, new Rope(500000, null), 0, false);
  private static final LlamaConfig MISTRAL =
      new LlamaConfig(
          4096, 14336, 32, 32, 8, 128, 32000, 32768, 1e-5f, new Rope(10000, null), 4096, false);

  @Test
  void shapesArePublishedOnes() {
    assertThat(LLAMA_2.parameters()).isEqualTo(6_738_415_616L);
    assertThat(LLAMA_3.parameters()).isEqualTo(8_030_261_248L);
    assertThat(MISTRAL.parameters()).isEqualTo(7_241_732_096L);
  }

  @Test
  void everyFigureOfTheDocument() throws IOException {
    List<String> found =
        Files.readAllLines(DOCUMENT).stream()
            .filter(line -> line.matches("\\| .*-[78]B .*"))
            .toList();
    List<String> expected = new ArrayList<>();
    Map<String, MemoryEstimate> blocks = estimates(RECOMPUTING);
    estimates(CONFIG)
        .forEach((name, estimate) -> expected.add(executorRow(name, estimate, blocks.get(name))));
    estimates(CONFIG)
        .forEach((name, estimate) -> expected.add(narrowRow(name, estimate, blocks.get(name))));
    for (int executors : List.of(1, 8, 64)) {
      estimates(CONFIG)
          .forEach((name, estimate) -> expected.add(roundRow(name, estimate, executors)));
    }
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void statedCases() throws IOException {
    String text = Files.readString(DOCUMENT);
    MemoryEstimate search = estimates(CONFIG).get("LLaMA-2-7B | search");
    MemoryEstimate wide =
        MemoryEstimate.search(
            definition(LLAMA_2, Stage.SEARCH), CONFIG.search(), new BatchShape(64, LENGTH));
    assertThat(text)
        .contains(
            "LLaMA-2-7B are %s for 8 sequences and %s for the default of 64"
                .formatted(ByteSize.text(search.activations()), ByteSize.text(wide.activations())));
    long two = search.executor(2, 1).offHeap();
    assertThat(text)
        .contains("takes %s, two executors of one task each take".formatted(ByteSize.text(two)))
        .contains("together %s".formatted(ByteSize.text(2 * search.executor(1, 1).offHeap())));
  }

  @Test
  void recomputedBlocksOfSevenBillionParametersTakeThreeGigabytes() {
    estimates(RECOMPUTING)
        .forEach(
            (name, estimate) -> {
              if (name.startsWith("LLaMA-2")) {
                assertThat(estimate.activations()).as(name).isLessThanOrEqualTo(3_000_000_000L);
              }
            });
  }

  private static Map<String, MemoryEstimate> estimates(GuilomoConfig config) {
    Map<String, LlamaConfig> models = new LinkedHashMap<>();
    models.put("LLaMA-2-7B", LLAMA_2);
    models.put("LLaMA-3-8B", LLAMA_3);
    models.put("Mistral-7B", MISTRAL);
    Map<String, MemoryEstimate> estimates = new LinkedHashMap<>();
    models.forEach(
        (name, model) -> {
          estimates.put(
              name + " | search",
              MemoryEstimate.search(definition(model, Stage.SEARCH), config.search(), BATCH));
          estimates.put(
              name + " | fine-tuning",
              MemoryEstimate.fineTuning(
                  definition(model, Stage.FINE_TUNING), config.finetune(), BATCH));
        });
    return estimates;
  }

  /** All candidates in a search; in fine-tuning the plan of strategy uniform. */
  private static NetworkDefinition definition(LlamaConfig model, Stage stage) {
    LoraMoeConfig lora = CONFIG.loraMoe();
    int experts = stage == Stage.SEARCH ? lora.maxExperts() : CONFIG.allocation().experts();
    int rank = stage == Stage.SEARCH ? lora.maxRank() : CONFIG.allocation().rank();
    return new NetworkDefinition(
        "",
        model,
        stage,
        model.linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, experts, rank, lora.form()))
            .toList(),
        lora.dropout(),
        lora.loadBalance(),
        0,
        CONFIG.model().pooling(),
        1);
  }

  private static String executorRow(
      String name, MemoryEstimate estimate, MemoryEstimate recomputing) {
    ExecutorMemory memory = estimate.executor(1, 1);
    ExecutorMemory blocks = recomputing.executor(1, 1);
    return row(
        name,
        memory.backbone(),
        memory.trainable(),
        memory.gradients() + memory.vectors(),
        memory.updaters(),
        memory.activations(),
        memory.offHeap(),
        blocks.activations(),
        blocks.offHeap(),
        memory.heap());
  }

  private static String narrowRow(
      String name, MemoryEstimate estimate, MemoryEstimate recomputing) {
    ExecutorMemory memory = estimate.keptAs(Precision.BFLOAT16).executor(1, 1);
    ExecutorMemory blocks = recomputing.keptAs(Precision.BFLOAT16).executor(1, 1);
    return row(name + " | bfloat16", memory.backbone(), memory.offHeap(), blocks.offHeap());
  }

  private static String roundRow(String name, MemoryEstimate estimate, int executors) {
    DriverMemory driver = estimate.driver(executors, 1);
    return row(
        name + " | " + executors,
        estimate.roundBytes(executors, executors),
        driver.offHeap(),
        driver.heap(),
        driver.results());
  }

  private static String row(String name, long... bytes) {
    return "| "
        + name
        + " | "
        + String.join(
            " | ", IntStream.range(0, bytes.length).mapToObj(i -> ByteSize.text(bytes[i])).toList())
        + " |";
  }
}
