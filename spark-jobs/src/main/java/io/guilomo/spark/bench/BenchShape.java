package io.guilomo.spark.bench;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a benchmark measures and how large it is, written as {@code
 * CASE[:layers=N][:sequences=N][:length=N]}.
 *
 * @param length tokens of each sequence
 */
record BenchShape(Task task, int layers, int sequences, int length) {

  static final int FULL = 8;

  /** By which generation continues each sequence. */
  static final int NEW_TOKENS = 64;

  private static final int MOST = 100_000;

  /** What a step does. */
  enum Work {
    SEARCH,
    FINETUNING,
    /** Continues all sequences by {@link #NEW_TOKENS}. */
    GENERATION
  }

  /** A model of hidden size 384 and a step over it; its batch has these sizes by default. */
  enum Task {
    SEARCH_LLAMA("search-llama", true, Work.SEARCH, FULL, FULL),
    FINETUNE_LLAMA("finetune-llama", true, Work.FINETUNING, FULL, FULL),
    /** What a plan of half the experts of half the rank costs beside the one above. */
    FINETUNE_LLAMA_PLAN("finetune-llama-4x4", true, Work.FINETUNING, 4, 4),
    GENERATE_LLAMA("generate-llama", true, Work.GENERATION, FULL, FULL),
    SEARCH_BERT("search-bert", false, Work.SEARCH, FULL, FULL),
    FINETUNE_BERT("finetune-bert", false, Work.FINETUNING, FULL, FULL),
    FINETUNE_BERT_PLAN("finetune-bert-4x4", false, Work.FINETUNING, 4, 4),
    /** As many parameters as one LoRA of rank 8, but for the routers. */
    FINETUNE_BERT_LORA("finetune-bert-2x4", false, Work.FINETUNING, 2, 4);

    private final String text;
    private final boolean llama;
    private final Work work;
    private final int experts;
    private final int rank;

    Task(String text, boolean llama, Work work, int experts, int rank) {
      this.text = text;
      this.llama = llama;
      this.work = work;
      this.experts = experts;
      this.rank = rank;
    }

    /** Whether the model is a decoder; else it is an encoder. */
    boolean llama() {
      return llama;
    }

    Work work() {
      return work;
    }

    /** On every module. */
    int experts() {
      return experts;
    }

    /** Of every expert. */
    int rank() {
      return rank;
    }

    BenchShape shape() {
      return llama ? new BenchShape(this, 6, 8, 128) : new BenchShape(this, 6, 16, 32);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  static List<BenchShape> all() {
    return Arrays.stream(Task.values()).map(Task::shape).toList();
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException if there is no such case or size
   */
  static BenchShape of(String text) {
    String[] parts = text.split(":", -1);
    BenchShape shape =
        Stream.of(Task.values())
            .filter(task -> task.text.equals(parts[0]))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "Cannot measure "
                            + text
                            + ": the cases are "
                            + Arrays.toString(Task.values())))
            .shape();
    for (int i = 1; i < parts.length; i++) {
      String[] pair = parts[i].split("=", 2);
      int value = pair.length == 2 && pair[1].matches("[0-9]{1,6}") ? Integer.parseInt(pair[1]) : 0;
      shape = value > 0 && value <= MOST ? shape.with(pair[0], value) : null;
      if (shape == null) {
        throw new IllegalArgumentException(
            "Cannot measure "
                + text
                + ": expected CASE:layers=N, CASE:sequences=N or CASE:length=N, not "
                + parts[i]);
      }
    }
    return shape;
  }

  private BenchShape with(String size, int value) {
    return switch (size) {
      case "layers" -> new BenchShape(task, value, sequences, length);
      case "sequences" -> new BenchShape(task, layers, value, length);
      case "length" ->
          task.llama || value <= 512 ? new BenchShape(task, layers, sequences, value) : null;
      default -> null;
    };
  }
}
