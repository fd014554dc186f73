package io.guilomo.search;

import io.guilomo.model.CountDistribution;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Sharing;
import io.guilomo.network.moe.Mixture;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The number of trainable parameters that is expected of GSVs which are distributions over counts:
 *
 * <pre>
 *   C(a) = C_shared + Σ_modules Σ_e S_e [ in + out Σ_i S_{e,i} + in Σ_i S_{e,i} F_{e,i} ]
 * </pre>
 *
 * {@code F_{e,i}} is the probability that row {@code i} of {@code A} is new with expert {@code e}:
 * 1 where each expert has its own {@code A}; where they share it, {@code Π_{f<e} (1 − S_{f,i})}, so
 * that it is the largest rank that is expected. {@code C_shared} are those that routers share,
 * which depend on no GSV.
 *
 * @param modules the candidates, in the order of their GSVs
 * @param shared {@code C_shared}
 */
record ExpectedParameters(List<ModuleExperts> modules, double shared) {

  ExpectedParameters(List<ModuleExperts> modules) {
    this(modules, Mixture.sharedParameterCount(modules));
  }

  /** One module and its distributions. */
  private record Candidates(
      ModuleExperts module, CountDistribution experts, List<CountDistribution> ranks) {

    static Candidates of(ModuleExperts module, float[] gsvs, int first) {
      int experts = module.experts();
      int offset = first + experts;
      List<CountDistribution> ranks = new ArrayList<>();
      for (int length : module.ranks()) {
        ranks.add(new CountDistribution(gsvs, offset, length, 1));
        offset += length;
      }
      return new Candidates(
          module,
          new CountDistribution(gsvs, first, experts, ModuleExperts.minExperts(experts)),
          ranks);
    }

    double in() {
      return module.module().inFeatures();
    }

    double out() {
      return module.module().outFeatures();
    }

    double survival(int expert, int row) {
      CountDistribution rank = ranks.get(expert);
      return row < rank.length() ? rank.survival(row) : 0;
    }

    /** {@code F} of an expert; of those before it, one is left out. */
    double isNew(int expert, int row, int leftOut) {
      double probability = 1;
      if (module.sharing() == Sharing.SHARED_A) {
        for (int before = 0; before < expert; before++) {
          probability *= before == leftOut ? 1 : 1 - survival(before, row);
        }
      }
      return probability;
    }

    /** What an expert in use adds to those before it. */
    double whole(int expert) {
      double sum = in();
      for (int i = 0; i < ranks.get(expert).length(); i++) {
        sum += survival(expert, i) * (out() + in() * isNew(expert, i, -1));
      }
      return sum;
    }

    /** {@code ∂C/∂S_{e,i}}. */
    double price(int expert, int row) {
      double price = experts.survival(expert) * (out() + in() * isNew(expert, row, -1));
      if (module.sharing() == Sharing.SHARED_A) {
        for (int after = expert + 1; after < module.experts(); after++) {
          price -=
              experts.survival(after) * survival(after, row) * in() * isNew(after, row, expert);
        }
      }
      return price;
    }
  }

  /** What the smallest plan has: as few experts as can be, of rank one. */
  double least() {
    return shared
        + modules.stream()
            .mapToDouble(
                module ->
                    module
                        .sharing()
                        .parameters(
                            module.module(),
                            Collections.nCopies(ModuleExperts.minExperts(module.experts()), 1)))
            .sum();
  }

  /** What a plan with all candidates has. */
  double most() {
    return shared
        + modules.stream()
            .mapToDouble(module -> module.sharing().parameters(module.module(), module.ranks()))
            .sum();
  }

  /** {@code C(a)}. */
  double of(float[] gsvs) {
    double sum = shared;
    int offset = 0;
    for (ModuleExperts module : modules) {
      Candidates candidates = Candidates.of(module, gsvs, offset);
      for (int e = 0; e < module.experts(); e++) {
        sum += candidates.experts().survival(e) * candidates.whole(e);
      }
      offset += module.gsvEntries();
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
      Candidates candidates = Candidates.of(module, gsvs, first);
      int offset = first + module.experts();
      double price = 0;
      int minExperts = ModuleExperts.minExperts(module.experts());
      for (int e = 0; e < module.experts(); e++) {
        price += e < minExperts ? 0 : candidates.whole(e);
        prices[first + e] = price;
        int length = module.ranks().get(e);
        for (int i = 1; i < length; i++) {
          prices[offset + i] = prices[offset + i - 1] + candidates.price(e, i);
        }
        offset += length;
      }
      first = offset;
    }
    return prices;
  }
}
