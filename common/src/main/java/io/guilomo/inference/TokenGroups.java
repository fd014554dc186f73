package io.guilomo.inference;

import java.util.ArrayList;
import java.util.List;

/**
 * Groups of sequences to read together, small enough to keep the working arrays of a pass small.
 */
final class TokenGroups {

  private static final int TOKENS = 4096;

  private TokenGroups() {}

  /**
   * @param lengths number of tokens of each sequence; empty ones are left out
   * @return indices of the sequences, in order
   */
  static List<int[]> of(int[] lengths) {
    List<int[]> groups = new ArrayList<>();
    List<Integer> group = new ArrayList<>();
    int tokens = 0;
    for (int i = 0; i < lengths.length; i++) {
      if (lengths[i] == 0) {
        continue;
      }
      if (!group.isEmpty() && tokens + lengths[i] > TOKENS) {
        groups.add(array(group));
        group.clear();
        tokens = 0;
      }
      group.add(i);
      tokens += lengths[i];
    }
    if (!group.isEmpty()) {
      groups.add(array(group));
    }
    return groups;
  }

  private static int[] array(List<Integer> indices) {
    return indices.stream().mapToInt(Integer::intValue).toArray();
  }
}
