package io.guilomo.spark.data;

import io.guilomo.data.Example;
import java.io.Serializable;

/**
 * The data of one worker: its part of the training examples and of the validation examples, at
 * least one of each.
 */
public record Shard(int index, Example[] train, Example[] validation) implements Serializable {}
