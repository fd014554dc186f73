package io.guilomo.search;

import io.guilomo.model.CountDistribution;
import io.guilomo.model.ModuleExperts;
import java.util.List;

/**
 * The number of trainable parameters that is expected of GSVs which are distributions over counts:
 *
 * <pre>
 *   C(a) = Σ_modules Σ_e S_e [ in + (in + out) Σ_i S_{e,i} ]
 * </pre>
 *
 * @param modules the candidates, in the order of their GSVs
 */
record ExpectedParameters(List<ModuleExperts> modules) {

  /** What the smallest plan has: as few experts as can be, of rank one. */
  double least() {
    return modules.stream()
        .mapToDouble(
            module -> ModuleExperts.least(module.experts()) * (in(module) + features(module)))
        .sum();
  }

  /** What a plan with all candidates has. */
  double most() {
    return modules.stream()
        .mapToDouble(
            module -> module.experts() * in(module) + module.totalRank() * features(module))
        .sum();
  }

  /** {@code C(a)}. */
  double of(float[] gsvs) {
    double sum = 0;
    int offset = 0;
    for (ModuleExperts module : modules) {
      CountDistribution experts = experts(gsvs, offset, module);
      offset += module.experts();
      for (int e = 0; e < module.experts(); e++) {
        int length = module.ranks().get(e);
        sum += experts.survival(e) * whole(module, rank(gsvs, offset, length));
        offset += length;
      }
    }
    return sum;
  }

  /**
   * What each count costs beyond the least: {@code ∂C/∂π_j}, with {@code ∂C/∂π = 0} at the least
   * count. It never falls with {@code j}.
   */
  double[] prices(float[] gsvs) {
    double[] prices = new double[gsvs.length];
    int first = 0;
    for (ModuleExperts module : modules) {
      CountDistribution experts = experts(gsvs, first, module);
      int offset = first + module.experts();
      double price = 0;
      for (int e = 0; e < module.experts(); e++) {
        int length = module.ranks().get(e);
        if (e >= 2) {
          price += whole(module, rank(gsvs, offset, length));
        }
        prices[first + e] = price;
        for (int i = 0; i < length; i++) {
          prices[offset + i] = experts.survival(e) * features(module) * i;
        }
        offset += length;
      }
      first = offset;
    }
    return prices;
  }

  /** An expert that is in use. */
  private static double whole(ModuleExperts module, CountDistribution rank) {
    double ranks = 0;
    for (int i = 0; i < rank.length(); i++) {
      ranks += rank.survival(i);
    }
    return in(module) + features(module) * ranks;
  }

  private static CountDistribution experts(float[] gsvs, int offset, ModuleExperts module) {
    int candidates = module.experts();
    return new CountDistribution(gsvs, offset, candidates, ModuleExperts.least(candidates));
  }

  private static CountDistribution rank(float[] gsvs, int offset, int length) {
    return new CountDistribution(gsvs, offset, length, 1);
  }

  private static double in(ModuleExperts module) {
    return module.module().inFeatures();
  }

  private static double features(ModuleExperts module) {
    return in(module) + module.module().outFeatures();
  }
}
