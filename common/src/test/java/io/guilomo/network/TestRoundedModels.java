package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenMemory;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.Tokenizer;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Losses of real models before training, whose frozen weights are rounded to 8 bits: within 1 % of
 * those of the weights themselves.
 */
class TestRoundedModels {
  private static final Configuration CONF = new Configuration();
  private static final int RECORDS = 200;
  private static final int BATCH = 20;
  private static final int LENGTH = 128;

  private final Kernels kernels = KernelSelection.best();

  @Test
  void storiesAsALanguageModel() throws IOException {
    String directory = GoldenFiles.models().resolve("stories260K-hf").toUri().toString();
    List<Example> examples = new ArrayList<>();
    try (Tokenizer tokenizer = Tokenizer.load(directory, CONF);
        Stream<String> lines = Files.lines(GoldenFiles.data().resolve("gsm8k/train.jsonl"))) {
      lines
          .limit(RECORDS)
          .forEach(
              line -> {
                int[] tokens = Arrays.copyOf(tokenizer.encode(line), LENGTH);
                examples.add(new Example(tokens, new int[LENGTH], tokens));
              });
    }
    compare("stories260K", directory, 0, examples, 0.27);
  }

  @Test
  void miniLmOnQuestions() throws IOException {
    String directory = TestRealModels.miniLm();
    List<String> classes = List.of("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM");
    List<Example> examples = new ArrayList<>();
    try (Tokenizer tokenizer = Tokenizer.load(directory, CONF)) {
      Path questions = GoldenFiles.data().resolve("trec/train_5500.label");
      for (String line :
          Files.readAllLines(questions, StandardCharsets.ISO_8859_1).subList(0, RECORDS)) {
        int[] tokens = tokenizer.encode(line.substring(line.indexOf(' ') + 1));
        int[] labels = new int[tokens.length];
        Arrays.fill(labels, TokenBatch.IGNORED);
        labels[0] = classes.indexOf(line.substring(0, line.indexOf(':')));
        examples.add(new Example(tokens, new int[tokens.length], labels));
      }
    }
    compare("MiniLM on TREC", directory, classes.size(), examples, 0.256);
  }

  /**
   * @param share most of the memory of 32-bit floats that matrices may take
   */
  private void compare(
      String name, String directory, int classes, List<Example> examples, double share)
      throws IOException {
    Backbone wide = backbone(directory, DataType.FLOAT);
    Backbone rounded = backbone(directory, DataType.BYTE);
    assertThat((double) bytes(rounded) / bytes(wide)).isBetween(0.25, share);
    double expected = loss(directory, wide, classes, examples);
    double found = loss(directory, rounded, classes, examples);
    System.out.printf(
        "%s: loss %.5f, with int8 %.5f (%+.3f %%), %s%n",
        name, expected, found, 100 * (found / expected - 1), rounded.errors().describe());
    assertThat(found).isNotEqualTo(expected).isCloseTo(expected, withinPercentage(1));
  }

  private Backbone backbone(String directory, DataType matrices) throws IOException {
    return ModelReader.load(directory, CONF, new FrozenMemory(kernels, matrices));
  }

  private static long bytes(Backbone backbone) {
    Set<FrozenMatrix> matrices = Collections.newSetFromMap(new IdentityHashMap<>());
    matrices.addAll(backbone.matrices().values());
    return matrices.stream().mapToLong(FrozenMatrix::bytes).sum();
  }

  private double loss(String directory, Backbone backbone, int classes, List<Example> examples) {
    NetworkDefinition definition =
        TestRealModels.definition(directory, backbone, List.of(2, 2), classes);
    try (LoraMoeNetwork network = LoraMoeNetwork.create(definition, backbone, kernels)) {
      double loss = 0;
      long labels = 0;
      for (int from = 0; from < examples.size(); from += BATCH) {
        PassResult result =
            network.pass(
                TokenBatch.of(examples.subList(from, from + BATCH)), PassOptions.evaluation());
        loss += result.taskLoss() * result.labels();
        labels += result.labels();
      }
      return loss / labels;
    }
  }
}
