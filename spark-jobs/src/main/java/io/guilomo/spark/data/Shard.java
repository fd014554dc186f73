package io.guilomo.spark.data;

import io.guilomo.data.Example;
import java.io.Serializable;

/**
 * What one worker learns from: its part of the training examples and of the held-out ones, each at
 * least one.
 */
public record Shard(int index, Example[] train, Example[] validation) implements Serializable {}
