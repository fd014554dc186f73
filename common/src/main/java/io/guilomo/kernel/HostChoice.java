package io.guilomo.kernel;

/** A choice of experts in host memory. */
public class HostChoice implements ExpertChoice {
  private final int[] experts;

  HostChoice(int length) {
    this.experts = new int[length];
  }

  /** The experts, not copied. */
  public static int[] experts(ExpertChoice choice) {
    return ((HostChoice) choice).experts;
  }

  @Override
  public int length() {
    return experts.length;
  }

  @Override
  public int[] toArray() {
    return experts.clone();
  }
}
