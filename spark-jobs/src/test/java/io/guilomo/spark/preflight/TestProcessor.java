package io.guilomo.spark.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TestProcessor {

  private static final String SERVER =
      """
      processor\t: 0
      model name\t: Some Processor
      siblings\t: 8
      cpu cores\t: 4
      flags\t\t: fpu sse sse2 avx fma avx2 avx512f avx512dq

      processor\t: 1
      siblings\t: 8
      cpu cores\t: 4
      flags\t\t: fpu sse sse2 avx fma avx2 avx512f avx512dq
      """;

  @Test
  void widestVectorsAndPhysicalCores() {
    Processor processor = Processor.of(SERVER);
    assertThat(processor).isEqualTo(new Processor("avx512f", 0.5));
    // 2 units of 16 lanes, a multiplication and an addition each, at 2.5 GHz, on 4 cores.
    assertThat(processor.expectedGflops(8)).isEqualTo(64 * 2.5 * 4);
    assertThat(processor.expectedGflops(1)).isEqualTo(64 * 2.5);
    assertThat(Processor.of(SERVER.replaceAll(" avx512.*", "")).vectors()).isEqualTo("avx2");
    assertThat(Processor.of("flags : fpu sse sse2")).isEqualTo(new Processor("sse2", 1));
  }

  @Test
  void aSlowProductIsTheLibrarysFault() {
    Processor processor = new Processor("avx512f", 1);
    assertThat(processor.judge("p", 80, 2, "MKL"))
        .isEqualTo(Check.ok("p", "80 GFLOP/s by MKL with 2 threads, of about 320 with avx512f"));
    assertThat(processor.judge("p", 39.6, 1, "OPENBLAS").line())
        .isEqualTo(
            "warning  p: 40 GFLOP/s by OPENBLAS with 1 thread, of about 160 with avx512f: the machine is busy,"
                + " or the library does not recognise its processor; use -Dorg.bytedeco.openblas.load=mkl, or for"
                + " OpenBLAS set OPENBLAS_CORETYPE=SkylakeX");
    assertThat(new Processor("avx2", 1).judge("p", 1, 1, "OPENBLAS").text())
        .endsWith("OPENBLAS_CORETYPE=Haswell");
  }

  @Test
  void anUnknownProcessorIsNotJudged() {
    assertThat(Processor.of("Features : asimd").judge("p", 0.4, 1, "OPENBLAS"))
        .isEqualTo(Check.ok("p", "0 GFLOP/s by OPENBLAS"));
  }
}
