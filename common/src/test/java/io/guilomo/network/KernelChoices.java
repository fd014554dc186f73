package io.guilomo.network;

import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;

/** Both implementations of the kernels, for tests that must hold with either. */
public final class KernelChoices {

  private KernelChoices() {}

  public static Stream<Named<Kernels>> all() {
    return Stream.of("vector", "portable").map(name -> Named.of(name, KernelSelection.named(name)));
  }
}
