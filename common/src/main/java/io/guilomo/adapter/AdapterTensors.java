package io.guilomo.adapter;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Sharing;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.moe.Mixture;
import io.guilomo.plan.AllocationPlan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The tensors of an adapter by name, expert by expert, where a network stacks the experts of a
 * module: {@code layers.L.MODULE.experts.E.A [r, in]} and {@code .B [out, r]}; in place of the
 * former, where the experts share it, {@code layers.L.MODULE.A [largest r, in]}; {@code
 * layers.L.MODULE.router [E, in]}, what the routers share, {@code thresholds.IN.…}, and {@code
 * classifier.weight [classes, hidden]} and {@code classifier.bias [classes]}, which a decoder's
 * classifier does not have.
 */
final class AdapterTensors {

  static final String CLASSIFIER_WEIGHT = "classifier.weight";
  static final String CLASSIFIER_BIAS = "classifier.bias";

  /** Names of the tensors of a classifier's head. */
  static final List<String> CLASSIFIER = List.of(CLASSIFIER_WEIGHT, CLASSIFIER_BIAS);

  /** What PEFT, and the released code after it, puts before the paths of modules. */
  static final String PEFT_PREFIX = "base_model.model.";

  private AdapterTensors() {}

  /** What an adapter for this plan must hold, with the scaling of each expert. */
  static Map<String, AdapterManifest.Entry> expected(AdapterDescription description, long hidden) {
    Map<String, AdapterManifest.Entry> entries = new LinkedHashMap<>();
    for (ModuleExperts module : description.plan().moduleExperts()) {
      long in = module.module().inFeatures();
      long out = module.module().outFeatures();
      if (sharesA(module)) {
        add(entries, a(module, 0), List.of((long) module.rowsOfA(), in), null);
      }
      for (int e = 0; e < module.experts(); e++) {
        long rank = module.ranks().get(e);
        double scaling = module.scalings().get(e);
        if (!sharesA(module)) {
          add(entries, a(module, e), List.of(rank, in), scaling);
        }
        add(entries, b(module, e), List.of(out, rank), scaling);
      }
      Mixture.routerParameters(module)
          .forEach(
              (kind, shape) ->
                  add(entries, prefix(module) + kind, LongStream.of(shape).boxed().toList(), null));
    }
    Mixture.sharedParameters(description.plan().moduleExperts())
        .forEach((name, shape) -> add(entries, name, LongStream.of(shape).boxed().toList(), null));
    long classes = description.labels().size();
    if (classes > 0) {
      add(entries, CLASSIFIER_WEIGHT, List.of(classes, hidden), null);
      if (!description.paths().causal()) {
        add(entries, CLASSIFIER_BIAS, List.of(classes), null);
      }
    }
    return entries;
  }

  private static void add(
      Map<String, AdapterManifest.Entry> entries, String name, List<Long> shape, Double scaling) {
    entries.put(name, new AdapterManifest.Entry(name, shape, scaling));
  }

  /** Views of a network's parameters under the adapter's names, in the order of the plan. */
  static Map<String, INDArray> views(
      AllocationPlan plan, boolean classifier, NamedParameters parameters) {
    Map<String, INDArray> views = new LinkedHashMap<>();
    for (ModuleExperts module : plan.moduleExperts()) {
      INDArray a = parameters.view(parameter(module, "A"));
      INDArray b = parameters.view(parameter(module, "B"));
      if (sharesA(module)) {
        views.put(a(module, 0), a);
      }
      long first = 0;
      for (int e = 0; e < module.experts(); e++) {
        int rank = module.ranks().get(e);
        if (!sharesA(module)) {
          views.put(a(module, e), ArrayViews.rows(a, first, rank));
        }
        views.put(b(module, e), ArrayViews.columns(b, first, rank));
        first += rank;
      }
      for (String kind : Mixture.routerParameters(module).keySet()) {
        views.put(prefix(module) + kind, parameters.view(parameter(module, kind)));
      }
    }
    Mixture.sharedParameters(plan.moduleExperts())
        .keySet()
        .forEach(name -> views.put(name, parameters.view(name)));
    if (classifier) {
      views.put(CLASSIFIER_WEIGHT, parameters.view(CLASSIFIER_WEIGHT));
      if (parameters.names().contains(CLASSIFIER_BIAS)) {
        views.put(CLASSIFIER_BIAS, parameters.view(CLASSIFIER_BIAS));
      }
    }
    return views;
  }

  private static boolean sharesA(ModuleExperts module) {
    return module.sharing() == Sharing.SHARED_A;
  }

  /** Name of the tensor that has an expert's {@code A} in its first rows. */
  static String a(ModuleExperts module, int expert) {
    return prefix(module) + (sharesA(module) ? "A" : "experts." + expert + ".A");
  }

  static String b(ModuleExperts module, int expert) {
    return prefix(module) + "experts." + expert + ".B";
  }

  static String router(ModuleExperts module) {
    return prefix(module) + "router";
  }

  /** A product, rounded to float32 once. */
  static INDArray times(INDArray tensor, double factor) {
    return factor == 1
        ? tensor
        : tensor.castTo(DataType.DOUBLE).muli(factor).castTo(DataType.FLOAT);
  }

  private static String prefix(ModuleExperts module) {
    return "layers." + module.module().layer() + "." + module.module().name() + ".";
  }

  private static String parameter(ModuleExperts module, String kind) {
    return NamedParameters.name(module.module(), kind);
  }
}
