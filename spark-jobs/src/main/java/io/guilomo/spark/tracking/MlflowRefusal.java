package io.guilomo.spark.tracking;

import java.io.IOException;

/** A request that fails however often it is repeated. */
final class MlflowRefusal extends IOException {

  /** Code of what cannot be sent because the run itself was refused. */
  static final String NOT_BEGUN = "NOT_BEGUN";

  /** Code of a file that cannot be read here. */
  static final String UNREAD = "UNREAD";

  private static final long serialVersionUID = 1;

  private final String code;

  /**
   * @param code of MLflow, such as {@code RESOURCE_DOES_NOT_EXIST}; empty where there is none
   */
  MlflowRefusal(String code, String message) {
    super(message);
    this.code = code;
  }

  boolean is(String other) {
    return code.equals(other);
  }
}
