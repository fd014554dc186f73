package io.guilomo.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.guilomo.config.KernelsConfig;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.blas.Blas.Vendor;

class TestProducts {
  private static final int SIZE = 700;
  private final ProductLibraries before = Blas.libraries();
  private final Random random = new Random(3);

  @BeforeEach
  void oneDnnIsThere() {
    assumeThat(OneDnnProducts.unavailable()).as("oneDNN loads").isEmpty();
  }

  @AfterEach
  void reset() {
    Blas.use(before);
    KernelSelection.useProducts(null);
  }

  @Test
  void theChoiceIsReproducibleAndCanBeMade() {
    assertThat(floats(KernelsConfig.Products.BLAS)).isInstanceOf(BlasProducts.class);
    assertThat(floats(KernelsConfig.Products.ONEDNN)).isInstanceOf(OneDnnProducts.class);
    assertThat(floats(KernelsConfig.Products.AUTO))
        .hasSameClassAs(floats(KernelsConfig.Products.AUTO));
    KernelSelection.useProducts(KernelsConfig.Products.ONEDNN);
    assertThat(KernelSelection.named("vector").productLibrary())
        .matches("oneDNN \\d+\\.\\d+\\.\\d+");
    KernelSelection.useProducts(KernelsConfig.Products.BLAS);
    assertThat(KernelSelection.named("vector").productLibrary()).isIn("MKL", "OPENBLAS");
  }

  private static Products floats(KernelsConfig.Products wanted) {
    return ProductLibraries.of(wanted).floats();
  }

  @Test
  void anUnknownLibraryIsRefused() {
    String property = System.getProperty(KernelSelection.PRODUCTS);
    System.setProperty(KernelSelection.PRODUCTS, "cublas");
    try {
      assertThatThrownBy(KernelSelection::products)
          .isInstanceOf(UserException.class)
          .hasMessage(
              "Cannot multiply with 'cublas' (guilomo.products): expected one of"
                  + " [auto, onednn, blas]");
    } finally {
      if (property == null) {
        System.clearProperty(KernelSelection.PRODUCTS);
      } else {
        System.setProperty(KernelSelection.PRODUCTS, property);
      }
    }
  }

  @Test
  void aLibraryOtherThanTheOneWantedIsSaid() {
    assertThat(BlasProducts.otherThanWanted("mkl", Vendor.OPENBLAS))
        .hasValue(
            "Cannot multiply with MKL (-Dorg.bytedeco.openblas.load=mkl): ND4J has loaded OPENBLAS,"
                + " whose last bits differ and which uses threads of its own; if another process"
                + " starts without that option, give it a cache of its own"
                + " (-Dorg.bytedeco.javacpp.cachedir)");
    assertThat(BlasProducts.otherThanWanted("mkl", Vendor.MKL)).isEmpty();
    assertThat(BlasProducts.otherThanWanted(null, Vendor.OPENBLAS)).isEmpty();
  }

  /** A library's own threads would be as many again as the kernels'. */
  @Test
  void theLibraryUsesNoThreadsOfItsOwn() throws InterruptedException {
    for (Products library : libraries()) {
      AtomicLong threads = new AtomicLong();
      String name = "multiplies";
      Thread caller =
          new Thread(
              () -> {
                Blas.use(new ProductLibraries(library, null));
                multiply(0);
                threads.set(threadsNamed(name));
              },
              name);
      caller.start();
      caller.join();
      // Threads that native code starts have the name of the one that starts them.
      assertThat(threads).as(library.name()).hasValue(1);
    }
  }

  @Test
  void theSameBitsAtAnyAddressAndAnyTime() {
    for (Products library : libraries()) {
      Blas.use(new ProductLibraries(library, null));
      float[] expected = multiply(0);
      for (int shift = 0; shift < 5; shift++) {
        assertThat(multiply(shift)).as(library.name()).isEqualTo(expected);
      }
    }
  }

  private static List<Products> libraries() {
    return List.of(new BlasProducts(), new OneDnnProducts());
  }

  /**
   * @param shift of the first elements from the start of their memory
   */
  private float[] multiply(int shift) {
    random.setSeed(5);
    int length = SIZE * SIZE;
    try (FloatPointer a = memory(length, shift);
        FloatPointer b = memory(length, shift);
        FloatPointer c = memory(length, shift)) {
      Blas.ofThread()
          .product(
              false,
              true,
              SIZE,
              SIZE,
              SIZE,
              1,
              a.address() + 4L * shift,
              SIZE,
              b.address() + 4L * shift,
              SIZE,
              0,
              c.address() + 4L * shift,
              SIZE);
      float[] result = new float[length];
      c.position(shift).get(result);
      return result;
    }
  }

  private FloatPointer memory(int length, int shift) {
    FloatPointer memory = new FloatPointer((long) length + shift);
    for (int i = 0; i < length; i++) {
      memory.put(shift + i, random.nextFloat() - 0.5f);
    }
    return memory;
  }

  private static long threadsNamed(String name) {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks.filter(task -> name(task).equals(name)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(Path task) {
    try {
      return Files.readString(task.resolve("comm")).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
