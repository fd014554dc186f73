package io.guilomo.inference;

import java.util.ArrayList;
import java.util.List;

/** Sequences that are read together: as many as keep the working arrays of a pass small. */
final class TokenGroups {

  private static final int TOKENS = 4096;

  private TokenGroups() {}

  /**
   * @param lengths tokens of each sequence; those without any are left out
   * @return indices of sequences, in their order
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
