package io.guilomo.spark.catalog;

/**
 * Rows are in the Parquet tables, but not in the user's catalog. What failed there is suppressed
 * rather than the cause: it says nothing about the job, which has its results.
 */
public final class UnpublishedException extends IllegalStateException {

  private static final long serialVersionUID = 1;

  UnpublishedException(String message, Throwable reason) {
    super(message);
    addSuppressed(reason);
  }
}
