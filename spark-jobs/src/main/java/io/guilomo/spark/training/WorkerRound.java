package io.guilomo.spark.training;

import io.guilomo.backbone.LinearModule;
import io.guilomo.search.SearchStepResult;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a worker hands back at the end of an averaging round.
 *
 * @param parameters {@code [a | w]} after its steps
 * @param updaterState moments of both AdamW
 * @param steps one entry a step of the round
 * @param routedTokens (token, slot) pairs that each expert got in the round
 */
public record WorkerRound(
    int worker,
    INDArray parameters,
    INDArray updaterState,
    List<SearchStepResult> steps,
    Map<LinearModule, long[]> routedTokens,
    String backboneDigest)
    implements Serializable {}
