package io.guilomo.spark.compare;

import io.guilomo.golden.GoldenFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Questions that fit a small model's positions. */
final class ShortQuestions {

  private ShortQuestions() {}

  /** Writes the shortest records of a file of the sample to a file of its name in a folder. */
  static Path of(String file, int count, Path folder) throws IOException {
    Path data = GoldenFiles.data().resolve("scienceqa_mola_sample");
    try (Stream<String> all = Files.lines(data.resolve(file))) {
      return Files.write(
          folder.resolve(file),
          all.sorted(Comparator.comparingInt(String::length)).limit(count).toList());
    }
  }
}
