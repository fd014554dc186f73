package io.guilomo.spark.data;

import io.guilomo.data.DataReport;
import io.guilomo.data.Example;
import io.guilomo.data.LabelSet;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.RecordEncoder;
import io.guilomo.data.Split;
import io.guilomo.data.TextEncoder;
import io.guilomo.data.TextRecord;
import io.guilomo.io.ContentDigest;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.session.InterpretedSession;
import io.guilomo.spark.session.JavaSerialization;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterators;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.StreamSupport;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * The data of a run, one shard per worker. Examples are sorted by the digest of their record, and
 * example {@code i} goes to worker {@code i mod workers}: shards depend only on the records, not on
 * files, partitions or executors. Training records that also occur among the validation records are
 * left out.
 *
 * @param shards one {@link Shard} in each of {@code workers} partitions, persisted
 * @param labels empty unless the task is classification
 * @param kinds how many training records there are of each label, and how many pairs
 */
public record ShardedData(
    JavaRDD<Shard> shards, DataReport report, Optional<LabelSet> labels, Kinds kinds) {

  /** The tokenizers of this JVM. */
  private static final ConcurrentMap<String, TextEncoder> ENCODERS = new ConcurrentHashMap<>();

  /**
   * How records become examples.
   *
   * @param labels the configured labels; empty to use those of the training data
   */
  public record Encoding(
      TextEncoderFactory encoder,
      int maxLength,
      boolean trainOnInputs,
      PromptTemplate template,
      Optional<LabelSet> labels) {}

  /**
   * What the training records of a classification are.
   *
   * @param labels number of records by label
   * @param pairs those of two texts
   */
  public record Kinds(Map<String, Long> labels, long pairs) {}

  /**
   * The label of a record, and whether it is a pair.
   *
   * @param label null unless the task is classification
   */
  private record Kind(String label, boolean pair) implements Serializable {

    static Kind of(TextRecord record) {
      return record instanceof TextRecord.Labelled labelled
          ? new Kind(labelled.label(), labelled instanceof TextRecord.SentencePair)
          : new Kind(null, false);
    }
  }

  /** An example on its way to a worker, or only the count of a record that gives none. */
  private record Entry(
      String digest, boolean heldOut, Example example, DataReport report, Kind kind)
      implements Serializable {

    /** Sorts training examples before validation examples, each by their digests. */
    String place() {
      return (heldOut ? "1" : "0") + digest;
    }

    /** Drops the example if its record is among the given ones. */
    Entry unless(Set<String> digests) {
      return example == null || !digests.contains(digest)
          ? this
          : new Entry(digest, heldOut, null, DataReport.ofRepeated(), kind);
    }
  }

  /**
   * Records as examples.
   *
   * @param learned the training records, some of which may be held out
   * @param all those, and records that are for validation alone
   */
  private record Encoded(JavaRDD<Entry> learned, JavaRDD<Entry> all, DataReport report) {

    /**
     * With records for validation alone; training records that are among them are left out.
     *
     * @param name where the validation records are, for messages
     */
    Encoded withValidation(
        JavaRDD<Entry> heldOut, String name, double maxBadFraction, List<JavaRDD<?>> scratch) {
      DataReport validation = sum(heldOut.map(Entry::report));
      validation.check(name, maxBadFraction);
      Broadcast<Set<String>> repeated = repeated(learned, heldOut);
      if (repeated.value().isEmpty()) {
        return new Encoded(learned, learned.union(heldOut), report.merge(validation));
      }
      JavaRDD<Entry> others =
          persist(learned.map(entry -> entry.unless(repeated.value())), scratch);
      return new Encoded(
          others, others.union(heldOut), sum(others.map(Entry::report)).merge(validation));
    }
  }

  /** Classes of a classification; 0 for a causal language model. */
  public int classes() {
    return labels.map(LabelSet::size).orElse(0);
  }

  /** Training examples of the largest shard. */
  public long largestShard() {
    int workers = shards.getNumPartitions();
    return (report.train() + workers - 1) / workers;
  }

  /**
   * @throws UserException if the data cannot be read, or there are too few records for all workers
   */
  public static ShardedData load(
      SparkSession spark, DataSource source, Encoding encoding, int workers) {
    if (workers < 1) {
      throw new IllegalArgumentException(
          "Cannot shard over %d workers: expected at least 1".formatted(workers));
    }
    JavaSerialization.require(spark.sparkContext().getConf());
    List<JavaRDD<?>> scratch = new ArrayList<>();
    try {
      JavaRDD<ReadRecord> train = read(spark, source, source.train(), source.format());
      Optional<LabelSet> labels = labels(source, encoding, train, scratch);
      RecordEncoder.Options options =
          new RecordEncoder.Options(
              encoding.maxLength(),
              encoding.trainOnInputs(),
              encoding.template(),
              labels.orElse(null));

      Split split = source.validation().isPresent() ? new Split(0) : source.split();
      TextEncoderFactory factory = encoding.encoder();
      JavaRDD<Entry> learned = persist(entries(train, factory, options, split, false), scratch);
      DataReport report = sum(learned.map(Entry::report));
      report.check(source.train().name(), source.maxBadFraction());
      Encoded encoded = new Encoded(learned, learned, report);
      if (source.validation().isPresent()) {
        RecordSource validation = source.validation().get();
        JavaRDD<Entry> heldOut =
            persist(
                entries(
                    read(spark, source, validation, source.validationFormat()),
                    factory,
                    options,
                    split,
                    true),
                scratch);
        encoded =
            encoded.withValidation(heldOut, validation.name(), source.maxBadFraction(), scratch);
      }
      report = encoded.report();
      requireEnough("training", report.train(), workers, report);
      requireEnough("validation", report.validation(), workers, report);

      JavaRDD<Shard> shards =
          spread(encoded.all(), encoded.learned().getNumPartitions(), report.train(), workers)
              .setName("shards");
      shards.persist(StorageLevel.MEMORY_AND_DISK()).count();
      return new ShardedData(shards, report, labels, kinds(encoded.learned(), labels.isPresent()));
    } finally {
      scratch.forEach(JavaRDD::unpersist);
    }
  }

  /** The labels of a classification: the configured ones, or those of the training records. */
  private static Optional<LabelSet> labels(
      DataSource source, Encoding encoding, JavaRDD<ReadRecord> train, List<JavaRDD<?>> scratch) {
    if (source.parser().task() != Task.CLASSIFICATION) {
      return Optional.empty();
    }
    if (encoding.labels().isPresent()) {
      return encoding.labels();
    }
    persist(train, scratch);
    readable(train).check(source.train().name(), source.maxBadFraction());
    return Optional.of(labels(train));
  }

  private static JavaRDD<ReadRecord> read(
      SparkSession spark, DataSource source, RecordSource records, Optional<DataFormat> format) {
    // Encoding a record takes longer than interpreting the query that reads it. But only the
    // given session has the user's views and settings.
    SparkSession session = records.isPath() ? InterpretedSession.beside(spark) : spark;
    return new RecordReader(session, source.parser(), format, source.encoding())
        .readEvenly(records, true);
  }

  /** A digest of the examples of all shards, wherever their records came from. */
  public String digest() {
    List<String> digests = shards.map(Shard::digest).collect();
    return ContentDigest.sha256(String.join("\n", digests).getBytes(StandardCharsets.UTF_8));
  }

  private static <T> JavaRDD<T> persist(JavaRDD<T> rdd, List<JavaRDD<?>> scratch) {
    scratch.add(rdd.persist(StorageLevel.MEMORY_AND_DISK()));
    return rdd;
  }

  private static LabelSet labels(JavaRDD<ReadRecord> records) {
    return LabelSet.of(
        records
            .filter(
                record ->
                    record.record() instanceof TextRecord.Labelled labelled
                        && labelled.label() != null)
            .map(record -> ((TextRecord.Labelled) record.record()).label())
            .distinct()
            .collect());
  }

  private static DataReport readable(JavaRDD<ReadRecord> records) {
    return sum(
        records.map(
            record ->
                record.isBad()
                    ? DataReport.ofBad(record.bad(record.reason()))
                    : DataReport.ofReadable()));
  }

  private static DataReport sum(JavaRDD<DataReport> reports) {
    return reports.fold(DataReport.EMPTY, DataReport::merge);
  }

  private static JavaRDD<Entry> entries(
      JavaRDD<ReadRecord> records,
      TextEncoderFactory factory,
      RecordEncoder.Options options,
      Split split,
      boolean validation) {
    return records.mapPartitions(
        part -> {
          TextEncoder text = ENCODERS.computeIfAbsent(factory.key(), key -> factory.create());
          RecordEncoder encoder = new RecordEncoder(text, options);
          return StreamSupport.stream(Spliterators.spliteratorUnknownSize(part, 0), false)
              .map(read -> entry(read, encoder, split, validation))
              .iterator();
        });
  }

  private static Entry entry(
      ReadRecord read, RecordEncoder encoder, Split split, boolean validation) {
    if (read.isBad()) {
      return new Entry("", false, null, DataReport.ofBad(read.bad(read.reason())), null);
    }
    String digest = read.record().digest();
    Kind kind = Kind.of(read.record());
    boolean heldOut = validation || split.holdsOut(digest);
    try {
      RecordEncoder.Outcome outcome = encoder.encode(read.record());
      return new Entry(
          digest, heldOut, outcome.example().orElse(null), DataReport.of(outcome, heldOut), kind);
    } catch (UserException e) {
      return new Entry(digest, heldOut, null, DataReport.ofBad(read.bad(e.getMessage())), kind);
    }
  }

  private static Kinds kinds(JavaRDD<Entry> learned, boolean classification) {
    Map<String, Long> labels = new TreeMap<>();
    long pairs = 0;
    if (classification) {
      Map<Kind, Long> counts =
          learned
              .filter(entry -> entry.example() != null && !entry.heldOut())
              .map(Entry::kind)
              .countByValue();
      for (Map.Entry<Kind, Long> count : counts.entrySet()) {
        labels.merge(count.getKey().label(), count.getValue(), Long::sum);
        pairs += count.getKey().pair() ? count.getValue() : 0;
      }
    }
    return new Kinds(labels, pairs);
  }

  /** Digests of records that occur in both. */
  private static Broadcast<Set<String>> repeated(JavaRDD<Entry> learned, JavaRDD<Entry> heldOut) {
    Set<String> digests = Set.copyOf(digests(learned).intersection(digests(heldOut)).collect());
    return JavaSparkContext.fromSparkContext(learned.context()).broadcast(digests);
  }

  private static JavaRDD<String> digests(JavaRDD<Entry> entries) {
    return entries.filter(entry -> entry.example() != null).map(Entry::digest);
  }

  private static void requireEnough(String kind, long records, int workers, DataReport report) {
    if (records < workers) {
      throw new UserException(
          "Cannot shard %d %s records over %d workers: each needs at least one%s%s",
          records,
          kind,
          workers,
          report.dropped() == 0
              ? ""
              : "; %d others have nothing left to learn from after truncation to model.max-length"
                  .formatted(report.dropped()),
          report.repeated() == 0
              ? ""
              : "; %d others are left out because data.validation has them too"
                  .formatted(report.repeated()));
    }
  }

  /**
   * One shard per worker.
   *
   * @param partitions number of partitions in which the entries are sorted
   * @param train number of training examples among the entries
   */
  private static JavaRDD<Shard> spread(
      JavaRDD<Entry> entries, int partitions, long train, int workers) {
    return entries
        .filter(entry -> entry.example() != null)
        .mapToPair(entry -> new Tuple2<>(entry.place(), entry.example()))
        .sortByKey(true, partitions)
        .values()
        .zipWithIndex()
        .mapToPair(Tuple2::swap)
        .repartitionAndSortWithinPartitions(new ByWorker(train, workers))
        .mapPartitionsWithIndex((worker, dealt) -> shard(worker, dealt, train), true);
  }

  private static Iterator<Shard> shard(
      int worker, Iterator<Tuple2<Long, Example>> dealt, long train) {
    List<Example> learned = new ArrayList<>();
    List<Example> heldOut = new ArrayList<>();
    dealt.forEachRemaining(entry -> (entry._1() < train ? learned : heldOut).add(entry._2()));
    return List.of(
            new Shard(worker, learned.toArray(Example[]::new), heldOut.toArray(Example[]::new)))
        .iterator();
  }

  /** Deals out the training examples, which come first, and then the validation examples. */
  private static final class ByWorker extends Partitioner {
    private final long train;
    private final int workers;

    ByWorker(long train, int workers) {
      this.train = train;
      this.workers = workers;
    }

    @Override
    public int numPartitions() {
      return workers;
    }

    @Override
    public int getPartition(Object place) {
      long index = (Long) place;
      return (int) ((index < train ? index : index - train) % workers);
    }
  }
}
