package io.guilomo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TestKernelSelection {

  @AfterEach
  void reset() {
    System.clearProperty(KernelSelection.KERNELS);
  }

  @Test
  void theVectorApiIsUsedWhereItIsThere() {
    assertThat(KernelSelection.best().getClass().getSimpleName()).isEqualTo("VectorKernels");
  }

  @Test
  void thePropertyDecides() {
    System.setProperty(KernelSelection.KERNELS, "portable");
    assertThat(KernelSelection.best().getClass().getSimpleName()).isEqualTo("Nd4jKernels");
    System.setProperty(KernelSelection.KERNELS, "vector");
    assertThat(KernelSelection.best().getClass().getSimpleName()).isEqualTo("VectorKernels");
  }

  @Test
  void anUnknownNameIsRefused() {
    System.setProperty(KernelSelection.KERNELS, "fast");
    assertThatThrownBy(KernelSelection::best)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot use kernels 'fast' (guilomo.kernels): expected one of cuda, portable, vector");
  }

  @Test
  void withoutTheModuleThePortableKernelsAreUsed() throws IOException, InterruptedException {
    assertThat(withoutTheModule()).isEqualTo("Nd4jKernels 11.0");
    assertThat(withoutTheModule("-Dguilomo.kernels=vector"))
        .isEqualTo(
            "Cannot use vector kernels: they need ND4J's CPU backend and --add-modules jdk.incubator.vector");
  }

  private static String withoutTheModule(String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(new File(System.getProperty("java.home"), "bin/java").getPath());
    // JavaCPP's cache holds one BLAS at a time, from which others may be starting.
    command.add("-Dorg.bytedeco.openblas.load=mkl");
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", classPath(), Selecting.class.getName()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return output.trim();
  }

  /**
   * Of this class and, launched by Maven or by a launcher with a class loader of its own, of all it
   * depends on.
   */
  private static String classPath() {
    Set<String> paths = new LinkedHashSet<>();
    for (Class<?> type : List.of(Selecting.class, KernelSelection.class)) {
      paths.add(type.getProtectionDomain().getCodeSource().getLocation().getPath());
    }
    if (TestKernelSelection.class.getClassLoader() instanceof URLClassLoader loader) {
      for (URL url : loader.getURLs()) {
        paths.add(url.getPath());
      }
    }
    paths.addAll(List.of(System.getProperty("java.class.path").split(File.pathSeparator)));
    return String.join(File.pathSeparator, paths);
  }
}
