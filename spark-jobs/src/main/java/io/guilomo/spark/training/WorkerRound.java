package io.guilomo.spark.training;

import io.guilomo.model.LinearModule;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * What a worker tells at the end of an averaging round, beside its parameters.
 *
 * @param steps one entry a step of the round
 * @param routedTokens (token, slot) pairs that each expert got in the recorded passes of the round
 * @param routerEntropy mean entropy of each router in the last of them, in nats; empty in a search
 * @param seconds that the steps took
 * @param bytes of the parameters and updater state that it got, and hands back
 */
public record WorkerRound<S>(
    int worker,
    List<S> steps,
    Map<LinearModule, long[]> routedTokens,
    Map<LinearModule, Double> routerEntropy,
    double seconds,
    long bytes,
    String backboneDigest)
    implements Serializable {}
