package io.guilomo.kernel;

import java.io.Serializable;

/** Constants of AdamW (arXiv 1711.05101). */
public record AdamW(double beta1, double beta2, double epsilon, double weightDecay)
    implements Serializable {

  public AdamW {
    if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0 && weightDecay >= 0)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot use AdamW with betas (%s, %s), epsilon %s and weight decay %s",
              beta1, beta2, epsilon, weightDecay));
    }
  }
}
