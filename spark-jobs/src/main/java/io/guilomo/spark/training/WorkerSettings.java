package io.guilomo.spark.training;

import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/**
 * How workers reach what is not sent to them.
 *
 * @param threads each worker may compute with
 * @param hadoop how executors reach the backbone
 */
public record WorkerSettings(int threads, SerializableConfiguration hadoop)
    implements Serializable {}
