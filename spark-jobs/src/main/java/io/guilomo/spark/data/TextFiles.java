package io.guilomo.spark.data;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.session.AsNamed;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.URI;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.SerializableConfiguration;

/** Reads files of text on the executors. */
record TextFiles(SparkSession spark, String name, TextDecoding decoding) {

  /** Bytes that take about as long to read as a file to open, and those of a task, as in Spark. */
  private static final long OPENING = 4L << 20;

  private static final long LARGEST_TASK = 128L << 20;

  /** What a file holds, from its stream. */
  interface Content extends Serializable {
    Iterator<RawRecord> of(DataFile file, InputStream in) throws IOException;
  }

  /** What a line is, with the values of the directories that its file is in. */
  interface Line extends Serializable {
    RawRecord of(RawRecord text, Map<String, String> partition);
  }

  /** The lines of files, which are split over several tasks if they are large. */
  JavaRDD<RawRecord> lines(List<DataFile> files, Line line) {
    TextDecoding text = decoding;
    if (!decoding.extendsAscii() || !files.stream().allMatch(DataFile::isPlain)) {
      return contents(
          files,
          (file, in) ->
              text.reader(in)
                  .lines()
                  .map(read -> line.of(text.part(read), file.partition()))
                  .iterator());
    }
    Dataset<Row> lines =
        AsNamed.reader(spark).text(files.stream().map(DataFile::path).toArray(String[]::new));
    Column bytes = functions.col("value").cast("binary");
    if (files.stream().allMatch(file -> file.partition().isEmpty())) {
      return guarded(
          lines
              .select(bytes)
              .as(Encoders.BINARY())
              .toJavaRDD()
              .map(read -> line.of(text.line(read), Map.of())));
    }
    Map<String, Map<String, String>> partitions = new HashMap<>();
    files.forEach(file -> partitions.put(file.path(), file.partition()));
    return guarded(
        lines
            .select(bytes, functions.col("_metadata.file_path"))
            .toJavaRDD()
            .map(
                row ->
                    line.of(
                        text.line(row.getAs(0)),
                        partitions.get(new Path(URI.create(row.getString(1))).toString()))));
  }

  /** What files hold, each read by one task from its beginning to its end. */
  JavaRDD<RawRecord> contents(List<DataFile> files, Content content) {
    SerializableConfiguration hadoop =
        new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
    List<List<DataFile>> tasks = tasks(files, spark.sparkContext().defaultParallelism());
    return guarded(
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(tasks, tasks.size())
            .flatMap(List::iterator)
            .mapPartitions(
                part -> {
                  OpenedFiles opened = new OpenedFiles(part, content, hadoop.value());
                  TaskContext.get()
                      .addTaskCompletionListener(
                          context -> {
                            opened.close();
                          });
                  return opened;
                }));
  }

  /** The files of each task: small ones together, in their order, as Spark packs them. */
  static List<List<DataFile>> tasks(List<DataFile> files, int parallelism) {
    long all = files.stream().mapToLong(TextFiles::cost).sum();
    long most = Math.min(LARGEST_TASK, Math.max(OPENING, all / parallelism));
    List<List<DataFile>> tasks = new ArrayList<>();
    long sum = 0;
    for (DataFile file : files) {
      if (tasks.isEmpty() || sum + cost(file) > most) {
        tasks.add(new ArrayList<>());
        sum = 0;
      }
      tasks.get(tasks.size() - 1).add(file);
      sum += cost(file);
    }
    return tasks;
  }

  private static long cost(DataFile file) {
    return file.length() + OPENING;
  }

  private JavaRDD<RawRecord> guarded(JavaRDD<RawRecord> records) {
    TextDecoding text = decoding;
    String from = name;
    return records.mapPartitions(part -> new Guarded<>(from, text, part), true);
  }

  /** Fails in one line that names the data, where it cannot be read. */
  static <T> JavaRDD<T> guarded(String name, JavaRDD<T> records) {
    return records.mapPartitions(part -> new Guarded<>(name, null, part), true);
  }

  /**
   * @param decoding null if the records are not decoded
   */
  private record Guarded<T>(String name, TextDecoding decoding, Iterator<T> records)
      implements Iterator<T> {

    @Override
    public boolean hasNext() {
      try {
        return records.hasNext();
      } catch (Exception e) { // Scala throws checked exceptions undeclared.
        throw fault(e);
      }
    }

    @Override
    public T next() {
      try {
        return records.next();
      } catch (Exception e) { // Scala throws checked exceptions undeclared.
        throw fault(e);
      }
    }

    private RuntimeException fault(Exception e) {
      if (e instanceof TaskKilledException || e instanceof UserException) {
        return (RuntimeException) e;
      }
      boolean undecodable =
          decoding != null
              && ExceptionUtils.throwableOfType(e, CharacterCodingException.class) != null;
      return new UserException(
          "Cannot read " + name + ": " + (undecodable ? decoding.invalid() : UserPath.reason(e)),
          e);
    }
  }
}
