package io.guilomo.kernel;

/** The experts that a router chose for each token, in the memory of the kernels that made it. */
public interface ExpertChoice {

  /** Number of choices: {@code T · topK}. */
  int length();

  /** A copy for the host, {@code [T · topK]}. */
  int[] toArray();
}
