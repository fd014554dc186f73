package io.guilomo.spark.data;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.SerializableConfiguration;

/** Reads files of text on the executors. */
record TextFiles(SparkSession spark, String name, TextDecoding decoding) {

  /** Makes Spark take paths as they are. */
  static final String GLOB_PATHS = "__globPaths__";

  /** What a file holds, from its path and its stream. */
  interface Content extends Serializable {
    Iterator<RawRecord> of(String file, InputStream in) throws IOException;
  }

  /** The lines of files, which are split over several tasks if they are large. */
  JavaRDD<RawRecord> lines(List<DataFile> files) {
    TextDecoding text = decoding;
    if (!decoding.extendsAscii() || !files.stream().allMatch(DataFile::isPlain)) {
      return contents(files, (file, in) -> text.reader(in).lines().map(text::part).iterator());
    }
    return guarded(
        spark
            .read()
            .option(GLOB_PATHS, "false")
            .text(files.stream().map(DataFile::path).toArray(String[]::new))
            .select(functions.col("value").cast("binary"))
            .as(Encoders.BINARY())
            .toJavaRDD()
            .map(text::line));
  }

  /** What files hold, each read by one task from its beginning to its end. */
  JavaRDD<RawRecord> contents(List<DataFile> files, Content content) {
    SerializableConfiguration hadoop =
        new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
    return guarded(
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(files, files.size())
            .flatMap(
                file -> {
                  InputStream in = file.open(hadoop.value());
                  TaskContext.get()
                      .addTaskCompletionListener(
                          context -> {
                            close(in);
                          });
                  return content.of(file.path(), in);
                }));
  }

  private static void close(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
