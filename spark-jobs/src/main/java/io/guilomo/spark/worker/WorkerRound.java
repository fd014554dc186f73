package io.guilomo.spark.worker;

import io.guilomo.model.LinearModule;
import io.guilomo.network.WeightErrors;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * What a worker reports at the end of an averaging round, apart from its parameters.
 *
 * @param steps what each step of the round measured
 * @param routedTokens (token, slot) pairs that each expert got in the recorded passes of the round
 * @param routerEntropy mean entropy of each router in the last of them, in nats; empty in a search
 * @param tokens of all batches of the steps
 * @param seconds that the steps took
 * @param bytes of the parameters and updater state that were sent, and are sent back
 * @param weightErrors of the backbone
 */
public record WorkerRound<S>(
    int worker,
    List<S> steps,
    Map<LinearModule, long[]> routedTokens,
    Map<LinearModule, Double> routerEntropy,
    long tokens,
    double seconds,
    long bytes,
    String backboneDigest,
    WeightErrors weightErrors)
    implements Serializable {}
