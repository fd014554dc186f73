package io.guilomo.spark.input;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.DataConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.data.LabelSet;
import io.guilomo.data.Listing;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.RecordParser;
import io.guilomo.data.Split;
import io.guilomo.data.TextEncoder;
import io.guilomo.io.Tokenizer;
import io.guilomo.model.Task;
import io.guilomo.spark.data.DataFormat;
import io.guilomo.spark.data.DataSource;
import io.guilomo.spark.data.ReadRecord;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.data.TextEncoderFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/** The data that a configuration names. */
public final class JobData {

  private static final int NAMED_CLASSES = 10;

  private final JobContext context;
  private final GuilomoConfig config;

  public JobData(JobContext context) {
    this.context = context;
    this.config = context.config();
  }

  /**
   * Reads and shards the records.
   *
   * @param validationFraction of the training records that is held out where there are no
   *     validation records
   * @throws io.guilomo.model.UserException if they cannot be read, or are too few for the workers
   */
  public ShardedData load(int workers, double validationFraction) throws IOException {
    DataConfig data = config.data();
    return load(
        workers,
        Task.parse(data.task()),
        validationFraction,
        config.model().maxLength().tokens(),
        data.labels().isEmpty() ? Optional.empty() : Optional.of(new LabelSet(data.labels())));
  }

  /** Reads and shards the records of the training of a classifier as they were for it. */
  public ShardedData loadFor(AdapterDescription classifier, int workers) throws IOException {
    return load(
        workers,
        classifier.task(),
        config.data().validationFraction(),
        classifier.maxLength(),
        Optional.of(new LabelSet(classifier.labels())));
  }

  private ShardedData load(
      int workers, Task task, double validationFraction, int maxLength, Optional<LabelSet> labels)
      throws IOException {
    DataConfig data = config.data();
    DataSource source =
        new DataSource(
            data.requireTrain(),
            Optional.of(data.validationRecords()).filter(records -> !records.isBlank()),
            new Split(validationFraction),
            format(data.format()),
            format(data.validationFormat()),
            data.encoding(),
            new RecordParser(task, data.columns()),
            data.maxBadFraction());
    ShardedData.Encoding encoding =
        new ShardedData.Encoding(
            new ModelTokenizer(
                config.model().requirePath(), new SerializableConfiguration(context.hadoop())),
            maxLength,
            data.trainOnInputs(),
            template(),
            labels);
    return ShardedData.load(context.spark(), source, encoding, workers);
  }

  /** A configured format; empty: that of the files' names. */
  private static Optional<DataFormat> format(String name) {
    return name.equals("auto") ? Optional.empty() : Optional.of(DataFormat.parse(name));
  }

  /** Reads records for a parser as the configuration says. */
  public static RecordReader reader(SparkSession spark, DataConfig data, RecordParser parser) {
    return new RecordReader(spark, parser, format(data.format()), data.encoding());
  }

  /** The validation records, or those that are held out of the training records. */
  public static JavaRDD<ReadRecord> validation(
      SparkSession spark, DataConfig data, RecordParser parser) {
    if (!data.validationRecords().isBlank()) {
      return new RecordReader(spark, parser, format(data.validationFormat()), data.encoding())
          .read(data.validationRecords(), true);
    }
    Split split = new Split(data.validationFraction());
    return reader(spark, data, parser)
        .read(data.requireTrain(), true)
        .filter(record -> !record.isBad() && split.holdsOut(record.record()));
  }

  /** The configured template with the configured answer pattern. */
  public PromptTemplate template() throws IOException {
    PromptTemplate template = PromptTemplates.of(config, context.hadoop());
    String pattern = config.generation().answerPattern();
    return pattern.isEmpty() ? template : template.withAnswerPattern(pattern);
  }

  /** What was read, on one line. */
  public static String describe(DataReport report) {
    String line =
        String.format(
            Locale.ROOT,
            "data: %d records: %d to train, %d to validate, %.1f tokens on average, %d at most; %d truncated, %d"
                + " dropped, %d also in data.validation, %d bad",
            report.read(),
            report.train(),
            report.validation(),
            report.meanLength(),
            report.longest(),
            report.truncated(),
            report.dropped(),
            report.repeated(),
            report.bad());
    return report.samples().isEmpty() ? line : line + ", the first: " + report.samples().get(0);
  }

  /**
   * The classes and how many training records each has, the first of many, on one line.
   *
   * @param labels in the order of the classes
   */
  public static String describe(LabelSet labels, ShardedData.Kinds kinds) {
    List<String> counted =
        labels.labels().stream()
            .map(label -> "%s (%,d)".formatted(label, kinds.labels().getOrDefault(label, 0L)))
            .toList();
    long records = kinds.labels().values().stream().mapToLong(Long::longValue).sum();
    String line =
        String.format(
            Locale.ROOT, "%,d classes: %s", labels.size(), Listing.of(counted, NAMED_CLASSES));
    return kinds.pairs() == 0 || kinds.pairs() == records
        ? line
        : line
            + String.format(
                Locale.ROOT,
                "; %,d pairs, %,d single texts",
                kinds.pairs(),
                records - kinds.pairs());
  }

  /** The tokenizer in the model's directory. */
  private record ModelTokenizer(String key, SerializableConfiguration hadoop)
      implements TextEncoderFactory {

    @Override
    public TextEncoder create() {
      try {
        return Tokenizer.load(key, hadoop.value());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
