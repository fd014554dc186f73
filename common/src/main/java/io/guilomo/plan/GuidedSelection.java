package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The GuidedSelection Vectors (GSVs) of one module at the end of a search (arXiv 2506.14646).
 *
 * @param module the module they belong to
 * @param expertVector expert GSV {@code g}, {@code [E_max]}
 * @param rankVectors rank GSVs {@code h_e}, {@code [E_max][r_max]}
 * @param routedTokens (token, slot) pairs routed to each expert, {@code [E_max]}
 */
public record GuidedSelection(
    LinearModule module, float[] expertVector, float[][] rankVectors, long[] routedTokens) {

  public GuidedSelection {
    if (expertVector.length < 1) {
      throw new IllegalArgumentException(
          "Cannot allocate experts to %s from an empty expert GSV".formatted(module));
    }
    if (rankVectors.length != expertVector.length || routedTokens.length != expertVector.length) {
      throw new IllegalArgumentException(
          "Cannot allocate experts to %s: %d entries in the expert GSV, %d rank GSVs, %d routed-token counts"
              .formatted(module, expertVector.length, rankVectors.length, routedTokens.length));
    }
  }

  /**
   * The vectors of all modules out of the flat outer variables: module by module {@code g}, then
   * {@code h_0}, {@code h_1}, …
   *
   * @param routedTokens modules without an entry were routed nothing
   */
  public static List<GuidedSelection> of(
      List<ModuleExperts> modules, float[] gsvs, Map<LinearModule, long[]> routedTokens) {
    List<GuidedSelection> selections = new ArrayList<>();
    int offset = 0;
    for (ModuleExperts experts : modules) {
      float[] expertVector = Arrays.copyOfRange(gsvs, offset, offset + experts.experts());
      offset += experts.experts();
      float[][] rankVectors = new float[experts.experts()][];
      for (int e = 0; e < experts.experts(); e++) {
        rankVectors[e] = Arrays.copyOfRange(gsvs, offset, offset + experts.ranks().get(e));
        offset += experts.ranks().get(e);
      }
      long[] routed = routedTokens.getOrDefault(experts.module(), new long[experts.experts()]);
      selections.add(new GuidedSelection(experts.module(), expertVector, rankVectors, routed));
    }
    if (offset != gsvs.length) {
      throw new UserException(
          "Cannot read %d GSV entries of %d modules: expected %d",
          gsvs.length, modules.size(), offset);
    }
    return selections;
  }

  /** {@code max(2, argmax g + 1)}; 1 where there is one candidate. */
  public int experts() {
    return Math.max(
        ModuleExperts.minExperts(expertVector.length), argmax("expert GSV", expertVector) + 1);
  }

  /** {@code argmax h_e + 1}, also of experts that are not allocated. */
  public int rank(int expert) {
    return argmax("rank GSV of expert " + expert, rankVectors[expert]) + 1;
  }

  /** The allocation that the vectors stand for. */
  ModulePlan plan() {
    int experts = experts();
    List<ExpertPlan> candidates = new ArrayList<>();
    for (int expert = 0; expert < rankVectors.length; expert++) {
      candidates.add(new ExpertPlan(rank(expert), routedTokens[expert]));
    }
    return ModulePlan.of(module, candidates, experts);
  }

  /** The first index of the largest entry. */
  private int argmax(String what, float[] vector) {
    if (vector.length == 0) {
      throw new UserException("Cannot allocate " + module + ": its " + what + " is empty");
    }
    int largest = 0;
    for (int i = 0; i < vector.length; i++) {
      if (!Float.isFinite(vector[i])) {
        throw new UserException(
            "Cannot allocate " + module + ": entry " + i + " of its " + what + " is " + vector[i]);
      }
      if (vector[i] > vector[largest]) {
        largest = i;
      }
    }
    return largest;
  }
}
