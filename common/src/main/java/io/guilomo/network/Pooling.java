package io.guilomo.network;

/** How an encoder's token states become one vector a sequence. */
public enum Pooling {
  MEAN,
  /** The state of the first token. */
  CLS
}
