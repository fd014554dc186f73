package io.guilomo.spark.data.quickstart;

import io.guilomo.model.UserException;
import io.guilomo.spark.data.quickstart.QuickstartData.LabelledSentence;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Definitions of WordNet's nouns, labelled with their lexicographer file such as {@code
 * noun.animal}.
 */
final class GlossSentences {

  /** Lexicographer files from number 3 on, of lexnames(5WN). */
  private static final List<String> FILES =
      List.of(
          ("Tops act animal artifact attribute body cognition communication event "
                  + "feeling food group location motive object person phenomenon plant "
                  + "possession process quantity relation shape state substance time")
              .split(" "));

  private static final int FIRST_FILE = 3;

  private GlossSentences() {}

  /**
   * @param nouns WordNet's {@code data.noun}: {@code offset file type … | definition; "example"}
   * @param classes how many of the largest files to keep
   */
  static List<LabelledSentence> read(BufferedReader nouns, int classes) throws IOException {
    List<LabelledSentence> sentences = new ArrayList<>();
    int number = 0;
    for (String line = nouns.readLine(); line != null; line = nouns.readLine()) {
      number++;
      if (line.startsWith("  ")) {
        continue; // The licence.
      }
      int bar = line.indexOf(" | ");
      String[] head = line.split(" ", 3);
      int file =
          head.length == 3 && head[1].matches("\\d{2}")
              ? Integer.parseInt(head[1]) - FIRST_FILE
              : -1;
      if (bar < 0 || file < 0 || file >= FILES.size()) {
        throw new UserException("Cannot read WordNet nouns: line %d is no synset", number);
      }
      String definition = line.substring(bar + 3).split("; \"", 2)[0].strip();
      if (!definition.isEmpty()) {
        sentences.add(new LabelledSentence(definition, "noun." + FILES.get(file), definition));
      }
    }
    return largest(sentences, classes);
  }

  private static List<LabelledSentence> largest(List<LabelledSentence> sentences, int classes) {
    Map<String, Long> sizes =
        sentences.stream()
            .collect(Collectors.groupingBy(LabelledSentence::label, Collectors.counting()));
    if (classes < 2 || classes > sizes.size()) {
      throw new UserException(
          "Cannot choose %d noun classes: expected 2 to %d", classes, sizes.size());
    }
    Comparator<Map.Entry<String, Long>> largestFirst =
        Map.Entry.comparingByValue(Comparator.reverseOrder());
    Set<String> kept =
        sizes.entrySet().stream()
            .sorted(largestFirst.thenComparing(Map.Entry::getKey))
            .limit(classes)
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    return sentences.stream().filter(sentence -> kept.contains(sentence.label())).toList();
  }
}
