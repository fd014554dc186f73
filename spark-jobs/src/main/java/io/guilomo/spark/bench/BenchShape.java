package io.guilomo.spark.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.ModelConfig;
import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.family.Families;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ConstantName;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a benchmark measures and how large it is, written as {@code
 * CASE[:layers=N][:sequences=N][:length=N][:precision=TYPE][:recompute=WHAT][:routing=HOW][:sharing=WHAT][:estimator=WHICH]}.
 *
 * @param length tokens of each sequence
 * @param precision of the frozen matrices
 * @param recompute what backward passes compute again
 * @param routing of the experts, by name
 * @param sharing of the experts
 * @param estimator of a search, whose steps are second order for straight-through and first order
 *     for expected; any without one
 */
record BenchShape(
    Task task,
    int layers,
    int sequences,
    int length,
    ModelConfig.Precision precision,
    Recompute recompute,
    String routing,
    Sharing sharing,
    Estimator estimator) {

  static final int FULL = 8;

  /** By which generation continues each sequence. */
  static final int NEW_TOKENS = 64;

  private static final Set<String> SETTINGS =
      Set.of(
          "layers",
          "sequences",
          "length",
          "precision",
          "recompute",
          "routing",
          "sharing",
          "estimator");
  private static final int MOST = 100_000;
  private static final int MOST_OF_ENCODER = 512;

  /** What a step does. */
  enum Work {
    SEARCH,
    FINETUNING,
    /** Continues all sequences by {@link #NEW_TOKENS}. */
    GENERATION
  }

  /** The shape of a model, and of the batch that it gets by default. */
  record Model(
      boolean decoder,
      int hidden,
      int intermediate,
      int layers,
      int heads,
      int keyValueHeads,
      int headDim,
      int vocabulary,
      int sequences,
      int length) {

    static final Model SMALL_DECODER = new Model(true, 384, 1024, 6, 6, 6, 64, 4096, 8, 128);
    static final Model SMALL_ENCODER = new Model(false, 384, 1536, 6, 12, 12, 32, 30522, 16, 32);

    /** LLaMA-3.2-1B's, whose embeddings are tied. */
    static final Model LLAMA_1B = new Model(true, 2048, 8192, 16, 32, 8, 64, 128256, 16, 256);

    /** Two layers of it, for processors. */
    static final Model LLAMA_1B_PART = new Model(true, 2048, 8192, 2, 32, 8, 64, 128256, 4, 256);

    /** LLaMA-2-7B's. */
    static final Model LLAMA_7B = new Model(true, 4096, 11008, 32, 32, 32, 128, 32000, 16, 256);
  }

  /** A step over a model. */
  enum Task {
    SEARCH_LLAMA("search-llama", Model.SMALL_DECODER, Work.SEARCH, FULL, FULL),
    FINETUNE_LLAMA("finetune-llama", Model.SMALL_DECODER, Work.FINETUNING, FULL, FULL),
    /** What a plan of half the experts of half the rank costs beside the one above. */
    FINETUNE_LLAMA_PLAN("finetune-llama-4x4", Model.SMALL_DECODER, Work.FINETUNING, 4, 4),
    GENERATE_LLAMA("generate-llama", Model.SMALL_DECODER, Work.GENERATION, FULL, FULL),
    SEARCH_BERT("search-bert", Model.SMALL_ENCODER, Work.SEARCH, FULL, FULL),
    FINETUNE_BERT("finetune-bert", Model.SMALL_ENCODER, Work.FINETUNING, FULL, FULL),
    FINETUNE_BERT_PLAN("finetune-bert-4x4", Model.SMALL_ENCODER, Work.FINETUNING, 4, 4),
    /** As many parameters as one LoRA of rank 8, but for the routers. */
    FINETUNE_BERT_LORA("finetune-bert-2x4", Model.SMALL_ENCODER, Work.FINETUNING, 2, 4),
    SEARCH_2048("search-llama-2048", Model.LLAMA_1B_PART, Work.SEARCH, FULL, FULL),
    FINETUNE_2048("finetune-llama-2048", Model.LLAMA_1B_PART, Work.FINETUNING, FULL, FULL),
    SEARCH_1B("search-llama-1b", Model.LLAMA_1B, Work.SEARCH, FULL, FULL),
    FINETUNE_1B("finetune-llama-1b", Model.LLAMA_1B, Work.FINETUNING, FULL, FULL),
    SEARCH_7B("search-llama-7b", Model.LLAMA_7B, Work.SEARCH, FULL, FULL),
    FINETUNE_7B("finetune-llama-7b", Model.LLAMA_7B, Work.FINETUNING, FULL, FULL);

    private final String text;
    private final Model model;
    private final Work work;
    private final int experts;
    private final int rank;

    Task(String text, Model model, Work work, int experts, int rank) {
      this.text = text;
      this.model = model;
      this.work = work;
      this.experts = experts;
      this.rank = rank;
    }

    /** Whether the model is a decoder; else it is an encoder. */
    boolean llama() {
      return model.decoder;
    }

    int vocabulary() {
      return model.vocabulary;
    }

    /** Whether it is measured where no case is named: it fits any machine. */
    boolean small() {
      return model.equals(Model.SMALL_DECODER) || model.equals(Model.SMALL_ENCODER);
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
      return BenchShape.of(text);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  static List<BenchShape> all() {
    return Arrays.stream(Task.values()).filter(Task::small).map(Task::shape).toList();
  }

  /** The shape of its model. */
  BackboneConfig config() {
    Model model = task.model;
    int generated = task.work == Work.GENERATION ? NEW_TOKENS : 0;
    ObjectNode json =
        new ObjectMapper()
            .createObjectNode()
            .put("model_type", model.decoder ? "llama" : "bert")
            .put("hidden_size", model.hidden)
            .put("intermediate_size", model.intermediate)
            .put("num_hidden_layers", layers)
            .put("num_attention_heads", model.heads)
            .put("vocab_size", model.vocabulary)
            .put("max_position_embeddings", model.decoder ? length + generated : MOST_OF_ENCODER);
    if (model.decoder) {
      json.put("num_key_value_heads", model.keyValueHeads)
          .put("head_dim", model.headDim)
          .put("tie_word_embeddings", model.vocabulary == Model.LLAMA_1B.vocabulary);
    }
    return Families.config(new ConfigJson(json, this));
  }

  /**
   * Reads one.
   *
   * @throws UserException if there is no such case or size
   */
  static BenchShape of(String text) {
    String[] parts = text.split(":", -1);
    Task task =
        Stream.of(Task.values())
            .filter(each -> each.text.equals(parts[0]))
            .findFirst()
            .orElseThrow(
                () ->
                    new UserException(
                        "Cannot measure %s: the cases are %s",
                        text, Arrays.toString(Task.values())));
    Map<String, String> given = new HashMap<>();
    for (String part : Arrays.asList(parts).subList(1, parts.length)) {
      String[] pair = part.split("=", 2);
      if (pair.length < 2 || !SETTINGS.contains(pair[0])) {
        throw unexpected(text, part);
      }
      given.put(pair[0], pair[1]);
    }
    if (given.containsKey("estimator") && task.work != Work.SEARCH) {
      throw new UserException("Cannot measure %s: %s has no estimator", text, task);
    }
    Model model = task.model;
    return new BenchShape(
        task,
        size(text, given, "layers", model.layers, MOST),
        size(text, given, "sequences", model.sequences, MOST),
        size(text, given, "length", model.length, model.decoder ? MOST : MOST_OF_ENCODER),
        oneOf(text, given, "precision", "precisions", ModelConfig.Precision.FLOAT32),
        oneOf(text, given, "recompute", "kinds of recompute", Recompute.NONE),
        routing(text, given.getOrDefault("routing", RoutingMethod.TOP_K)),
        oneOf(text, given, "sharing", "kinds of sharing", Sharing.NONE),
        oneOf(text, given, "estimator", "estimators", Estimator.STRAIGHT_THROUGH));
  }

  private static UserException unexpected(String text, String part) {
    return new UserException(
        "Cannot measure %s: expected CASE:layers=N, CASE:sequences=N, CASE:length=N,"
            + " CASE:precision=TYPE, CASE:recompute=WHAT, CASE:routing=HOW, CASE:sharing=WHAT or"
            + " CASE:estimator=WHICH, not %s",
        text, part);
  }

  private static int size(
      String text, Map<String, String> given, String name, int usual, int most) {
    String value = given.get(name);
    if (value == null) {
      return usual;
    }
    int size = value.matches("[0-9]{1,6}") ? Integer.parseInt(value) : 0;
    if (size < 1 || size > most) {
      throw unexpected(text, name + "=" + value);
    }
    return size;
  }

  private static String routing(String text, String name) {
    if (!RoutingMethod.NAMES.contains(name)) {
      throw new UserException(
          "Cannot measure %s: kinds of routing are %s", text, RoutingMethod.NAMES);
    }
    return name;
  }

  private static <E extends Enum<E>> E oneOf(
      String text, Map<String, String> given, String name, String what, E usual) {
    Class<E> type = usual.getDeclaringClass();
    return ConstantName.find(type, given.getOrDefault(name, usual.toString()))
        .orElseThrow(
            () ->
                new UserException(
                    "Cannot measure %s: %s are %s",
                    text, what, Arrays.toString(type.getEnumConstants())));
  }
}
