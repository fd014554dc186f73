package io.guilomo.kernel;

/** A choice of experts that the host keeps. */
class HostChoice implements ExpertChoice {
  private final int[] experts;

  HostChoice(int length) {
    this.experts = new int[length];
  }

  /** The experts themselves, not a copy. */
  static int[] experts(ExpertChoice choice) {
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
