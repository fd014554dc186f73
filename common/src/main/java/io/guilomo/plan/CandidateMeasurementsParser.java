package io.guilomo.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.plan.ModuleMeasurement.Expert;
import java.util.List;

/** {@link CandidateMeasurements} as JSON, from which the same values are read, bit for bit. */
public final class CandidateMeasurementsParser {

  private static final int FORMAT_VERSION = 1;

  private CandidateMeasurementsParser() {}

  public static String toJson(CandidateMeasurements measurements) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("format-version", FORMAT_VERSION)
        .put("seed", measurements.seed())
        .put("steps", measurements.steps())
        .put("seconds", measurements.seconds())
        .put("backbone-digest", measurements.backboneDigest());
    ArrayNode modules = json.putArray("modules");
    for (ModuleMeasurement measured : measurements.modules()) {
      ObjectNode module = modules.addObject();
      module
          .put("layer", measured.module().layer())
          .put("module", measured.module().name())
          .put("in-features", measured.module().inFeatures())
          .put("out-features", measured.module().outFeatures());
      ArrayNode experts = module.putArray("experts");
      for (Expert expert : measured.experts()) {
        ObjectNode own = experts.addObject();
        own.put("routed-tokens", expert.routedTokens())
            .put("gradient", expert.gradient())
            .put("square", expert.square());
        add(own, "energies", expert.energies());
        add(own, "rank-gradients", expert.rankGradients());
        add(own, "rank-squares", expert.rankSquares());
      }
    }
    return json.toString();
  }

  private static void add(ObjectNode json, String key, double[] values) {
    ArrayNode array = json.putArray(key);
    for (double value : values) {
      array.add(value);
    }
  }

  /**
   * @param what names the text in messages
   * @throws UserException if it is not what {@link #toJson} wrote
   */
  public static CandidateMeasurements fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    int version = json.integer("format-version", 1, Integer.MAX_VALUE);
    if (version != FORMAT_VERSION) {
      throw json.refused("format-version is " + version + ", this release reads " + FORMAT_VERSION);
    }
    CandidateMeasurements measurements =
        new CandidateMeasurements(
            json.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE),
            json.integer("steps", 0, Long.MAX_VALUE),
            json.number("seconds"),
            json.text("backbone-digest"),
            json.objects("modules", AllocationPlanParser.MAX_MODULES).stream()
                .map(CandidateMeasurementsParser::module)
                .toList());
    json.end();
    return measurements;
  }

  private static ModuleMeasurement module(StrictObject json) {
    LinearModule module =
        new LinearModule(
            json.integer("layer", 0, AllocationPlanParser.MAX_MODULES),
            json.text("module"),
            json.integer("in-features", 1, AllocationPlanParser.MAX_FEATURES),
            json.integer("out-features", 1, AllocationPlanParser.MAX_FEATURES));
    List<Expert> experts =
        json.objects("experts", AllocationPlanParser.MAX_EXPERTS).stream()
            .map(CandidateMeasurementsParser::expert)
            .toList();
    json.end();
    return new ModuleMeasurement(module, experts);
  }

  private static Expert expert(StrictObject json) {
    Expert expert =
        new Expert(
            json.integer("routed-tokens", 0, Long.MAX_VALUE),
            json.number("gradient"),
            json.number("square"),
            json.numbers("energies", AllocationPlanParser.MAX_RANK),
            json.numbers("rank-gradients", AllocationPlanParser.MAX_RANK),
            json.numbers("rank-squares", AllocationPlanParser.MAX_RANK));
    json.end();
    return expert;
  }
}
