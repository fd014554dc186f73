package io.guilomo.kernel.cuda;

import com.sun.jna.Native;
import com.sun.jna.StringArray;
import java.nio.charset.StandardCharsets;

/** CUDA's run-time compiler, whose functions stand under their names there. */
final class Nvrtc {

  static {
    Native.register(Nvrtc.class, CudaLibraries.toolkit("nvrtc", "nvrtc-builtins"));
  }

  private Nvrtc() {}

  static native int nvrtcVersion(int[] major, int[] minor);

  static native int nvrtcCreateProgram(
      long[] program,
      String source,
      String name,
      int headers,
      long headerSources,
      long headerNames);

  static native int nvrtcCompileProgram(long program, int count, StringArray options);

  static native int nvrtcGetProgramLogSize(long program, long[] size);

  static native int nvrtcGetProgramLog(long program, byte[] log);

  static native int nvrtcGetCUBINSize(long program, long[] size);

  static native int nvrtcGetCUBIN(long program, byte[] image);

  static native int nvrtcDestroyProgram(long[] program);

  /** Such as {@code 12.9}. */
  static String version() {
    int[] major = new int[1];
    int[] minor = new int[1];
    check(nvrtcVersion(major, minor), "nvrtcVersion");
    return major[0] + "." + minor[0];
  }

  /**
   * Compiles to machine code.
   *
   * @param name of the source, for messages
   * @throws CudaException with the compiler's messages
   */
  static byte[] compile(String source, String name, String... options) {
    long[] program = new long[1];
    check(nvrtcCreateProgram(program, source, name, 0, 0, 0), "nvrtcCreateProgram of " + name);
    try {
      int result =
          nvrtcCompileProgram(program[0], options.length, new StringArray(options, "UTF-8"));
      if (result != 0) {
        throw new CudaException("NVRTC", log(program[0]), "the compilation of " + name);
      }
      long[] size = new long[1];
      check(nvrtcGetCUBINSize(program[0], size), "nvrtcGetCUBINSize of " + name);
      byte[] image = new byte[Math.toIntExact(size[0])];
      check(nvrtcGetCUBIN(program[0], image), "nvrtcGetCUBIN of " + name);
      return image;
    } finally {
      nvrtcDestroyProgram(program);
    }
  }

  private static String log(long program) {
    long[] size = new long[1];
    check(nvrtcGetProgramLogSize(program, size), "nvrtcGetProgramLogSize");
    byte[] log = new byte[Math.toIntExact(size[0])];
    check(nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
    return new String(log, StandardCharsets.UTF_8).replace("\0", "").strip();
  }

  private static void check(int result, String what) {
    if (result != 0) {
      throw new CudaException("NVRTC", "result " + result, what);
    }
  }
}
