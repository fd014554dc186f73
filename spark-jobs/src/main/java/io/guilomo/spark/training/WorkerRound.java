package io.guilomo.spark.training;

import io.guilomo.backbone.LinearModule;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a worker hands back at the end of an averaging round.
 *
 * @param parameters {@code [a | w]} after its steps; {@code w} alone in fine-tuning
 * @param updaterState moments of both AdamW
 * @param steps one entry a step of the round
 * @param routedTokens (token, slot) pairs that each expert got in the recorded passes of the round
 * @param routerEntropy mean entropy of each router in the last of them, in nats; empty in a search
 * @param seconds that the steps took
 */
public record WorkerRound<S>(
    int worker,
    INDArray parameters,
    INDArray updaterState,
    List<S> steps,
    Map<LinearModule, long[]> routedTokens,
    Map<LinearModule, Double> routerEntropy,
    double seconds,
    String backboneDigest)
    implements Serializable {}
