package io.guilomo.plan;

import java.util.List;

/**
 * What one short training of all candidates showed: enough for every strategy that measures, with
 * any budget.
 *
 * @param seed of the training
 * @param steps of each worker
 * @param seconds from its start to the last measurement
 * @param backboneDigest of the backbone that the workers loaded
 * @param modules in the order of the backbone's {@code linearModules()}
 */
public record CandidateMeasurements(
    long seed, long steps, double seconds, String backboneDigest, List<ModuleMeasurement> modules) {

  public CandidateMeasurements {
    modules = List.copyOf(modules);
  }
}
