package io.guilomo.kernel;

import io.guilomo.kernel.cuda.FakeCard;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;

/**
 * The kernels that tests run with: those that the system property {@code guilomo.test.kernels}
 * names, divided by commas, or both of the processor. {@code remote} are the processor's over
 * arrays that the host cannot read.
 */
public final class KernelsUnderTest {
  private static final Map<String, Kernels> OPEN = new ConcurrentHashMap<>();

  private KernelsUnderTest() {}

  public static List<String> names() {
    return List.of(System.getProperty("guilomo.test.kernels", "portable,vector").split(","));
  }

  /** Whether a card is among them. */
  public static boolean cuda() {
    return names().contains("cuda");
  }

  public static Stream<Named<Kernels>> all() {
    return names().stream().map(name -> Named.of(name, named(name)));
  }

  /** The last, for tests that any kernels do for. */
  public static Kernels any() {
    return named(names().get(names().size() - 1));
  }

  /** One instance for all tests of a process. */
  public static Kernels named(String name) {
    if (name.equals("cuda")) {
      FakeCard.insert();
    }
    return OPEN.computeIfAbsent(
        name,
        each ->
            each.equals(RemoteKernels.NAME) ? RemoteKernels.open() : KernelSelection.named(each));
  }
}
