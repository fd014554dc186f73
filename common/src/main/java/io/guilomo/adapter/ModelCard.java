package io.guilomo.adapter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Sharing;
import io.guilomo.model.Task;
import io.guilomo.plan.AllocationPlan;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * {@code README.md} beside the files of an export, with the <a
 * href="https://huggingface.co/docs/hub/model-cards">front matter</a> that Hugging Face's hub
 * reads. It says what is known, and leaves out the rest: no language, no license but that of the
 * model's own card, and no {@code base_model}, as a path does not tell the model's id there.
 *
 * @param run id of the run that trained the adapter; empty if unknown
 * @param scores what was measured of the run; may be empty
 */
public record ModelCard(
    AdapterDescription description,
    AdapterFormat format,
    Optional<String> run,
    List<Score> scores,
    Optional<String> license) {

  static final String FILE = "README.md";

  private static final int MAX_BYTES = 1 << 20;

  /** The tag that tells the cards of exports from others. */
  private static final String MARK = "- guilomo";

  private static final Pattern LOCAL = Pattern.compile("(/|~|file:).*", Pattern.DOTALL);

  /**
   * One metric.
   *
   * @param split name of the records
   * @param low lower end of the confidence interval; NaN if there is none
   */
  public record Score(
      String split, String metric, double value, double low, double high, long examples) {}

  public ModelCard {
    scores = List.copyOf(scores);
  }

  /** The beginning of the card in a directory; empty if there is none. */
  static Optional<String> in(Path directory, Configuration conf) throws IOException {
    Path file = new Path(directory, FILE);
    FileSystem files = file.getFileSystem(conf);
    if (!files.exists(file)) {
      return Optional.empty();
    }
    try (InputStream in = files.open(file)) {
      return Optional.of(new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8));
    }
  }

  /** Whether a card is one of an export, which may be replaced. */
  static boolean isOwn(String card) {
    return metadata(card).contains(MARK);
  }

  /** The whole card. */
  String text() {
    String title = run.orElseGet(() -> lastName(description.backbone()));
    String text =
        """
        %s

        # %s, adapted with GuiLoMo

        %s Its experts were allocated and trained with GuiLoMo on Spark (the method: arXiv 2506.14646).

        %s
        """
            .formatted(frontMatter(), inline(title), format.what(), about());
    if (!scores.isEmpty()) {
      text += "\n" + measured();
    }
    return text + "\n## Use\n\n" + format.use(description).strip() + "\n";
  }

  private String frontMatter() {
    boolean classifies = description.task() == Task.CLASSIFICATION;
    List<String> lines = new ArrayList<>();
    lines.add("---");
    lines.add("library_name: " + format.library());
    lines.add("pipeline_tag: " + (classifies ? "text-classification" : "text-generation"));
    license.ifPresent(name -> lines.add("license: " + name));
    lines.add("tags:");
    lines.add(MARK);
    lines.add("- lora");
    if (experts().getMax() > 1) {
      lines.add("- mixture-of-experts");
    }
    lines.add("---");
    return String.join("\n", lines);
  }

  private String about() {
    AllocationPlan plan = description.plan();
    IntSummaryStatistics experts = experts();
    IntSummaryStatistics ranks =
        plan.moduleExperts().stream()
            .flatMap(module -> module.ranks().stream())
            .mapToInt(Integer::intValue)
            .summaryStatistics();
    List<String> rows = new ArrayList<>();
    rows.add("| | |");
    rows.add("|---|---|");
    row(rows, "model", code(model(description)));
    row(rows, "SHA-256 of its tensors", code(description.backboneDigest()));
    run.ifPresent(id -> row(rows, "run", code(id)));
    row(rows, "task", description.task().toString());
    if (description.task() == Task.CLASSIFICATION) {
      row(
          rows,
          "labels",
          description.labels().stream().map(ModelCard::code).collect(Collectors.joining(", ")));
      row(rows, "pooling", description.pooling().toString());
    }
    row(rows, "longest training sequence", number(description.maxLength()) + " tokens");
    row(rows, "allocation", "strategy " + plan.strategy() + ", seed " + plan.seed());
    row(
        rows,
        "modules with experts",
        "%s in %s layers"
            .formatted(
                number(plan.modules().size()),
                number(plan.modules().stream().map(m -> m.module().layer()).distinct().count())));
    row(
        rows,
        "experts",
        "%s, %s a module, %s of them for each token"
            .formatted(number(experts.getSum()), range(experts), used(plan)));
    String shared = plan.sharing() == Sharing.SHARED_A ? ", of one A a module" : "";
    row(rows, "ranks", "%s, %s in all%s".formatted(range(ranks), number(ranks.getSum()), shared));
    row(rows, "parameters of the plan", number(plan.parameters()));
    row(
        rows,
        "scaling",
        "%s, alpha %s".formatted(plan.scaling().rule(), shortest(plan.scaling().alpha())));
    return String.join("\n", rows);
  }

  private static String used(AllocationPlan plan) {
    return range(statistics(plan, module -> module.routing().used(module.experts())));
  }

  private IntSummaryStatistics experts() {
    return statistics(description.plan(), ModuleExperts::experts);
  }

  private static IntSummaryStatistics statistics(
      AllocationPlan plan, ToIntFunction<ModuleExperts> value) {
    return plan.moduleExperts().stream().mapToInt(value).summaryStatistics();
  }

  private String measured() {
    List<String> rows = new ArrayList<>();
    rows.add("## Scores");
    rows.add("");
    rows.add("What `evaluate` recorded for the run:");
    rows.add("");
    rows.add("| records | metric | value | confidence interval | number of records |");
    rows.add("|---|---|---|---|---|");
    for (Score score : scores) {
      String interval =
          Double.isNaN(score.low()) || Double.isNaN(score.high())
              ? ""
              : "%s to %s".formatted(decimal(score.low()), decimal(score.high()));
      rows.add(
          "| %s | %s | %s | %s | %s |"
              .formatted(
                  inline(score.split()),
                  inline(score.metric()),
                  decimal(score.value()),
                  interval,
                  number(score.examples())));
    }
    return String.join("\n", rows) + "\n";
  }

  private static void row(List<String> rows, String name, String value) {
    rows.add("| " + name + " | " + value + " |");
  }

  private static String range(IntSummaryStatistics values) {
    return values.getMin() == values.getMax()
        ? number(values.getMin())
        : number(values.getMin()) + " to " + number(values.getMax());
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }

  private static String shortest(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }

  /** A YAML scalar in double quotes, as which any JSON text will do. */
  private static String quoted(String text) {
    try {
      return new ObjectMapper().writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A text in a cell of a table, which ends neither. */
  private static String code(String text) {
    String plain = inline(text);
    int longest =
        IntStream.rangeClosed(0, plain.length())
            .filter(n -> plain.contains("`".repeat(n)))
            .max()
            .orElse(0);
    String fence = "`".repeat(longest + 1);
    return longest == 0 ? fence + plain + fence : fence + " " + plain + " " + fence;
  }

  private static String inline(String text) {
    return text.replaceAll("\\s+", " ").replace("|", "\\|");
  }

  /** The model's name for readers elsewhere: of a local path, only the last component. */
  static String model(AdapterDescription description) {
    String backbone = description.backbone();
    return LOCAL.matcher(backbone).matches() ? lastName(backbone) : backbone;
  }

  private static String lastName(String path) {
    String trimmed = path.replaceAll("/+$", "");
    return trimmed.substring(trimmed.lastIndexOf('/') + 1);
  }

  /** The license that the card of a model states in its front matter. */
  static Optional<String> license(String card) {
    return metadata(card).stream()
        .filter(line -> line.matches("license:\\s*[A-Za-z0-9][A-Za-z0-9.+-]*"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }

  /** Lines of the front matter of a card, without what follows them. */
  private static List<String> metadata(String card) {
    List<String> lines = card.lines().map(String::stripTrailing).toList();
    return lines.isEmpty() || !lines.get(0).equals("---")
        ? List.of()
        : lines.stream().skip(1).takeWhile(line -> !line.equals("---")).toList();
  }

  /** Fills the names in a text of a format: {@code {model}}, as a text of Python. */
  static String filled(String text, Map<String, String> names) {
    String filled = text;
    for (Map.Entry<String, String> name : names.entrySet()) {
      filled = filled.replace("{" + name.getKey() + "}", quoted(name.getValue()));
    }
    return filled;
  }
}
