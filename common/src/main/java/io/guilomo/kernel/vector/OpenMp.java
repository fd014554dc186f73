package io.guilomo.kernel.vector;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/**
 * The OpenMP runtime that the libraries of the process share: MKL's where MKL is loaded, which has
 * GNU's functions too and comes before GNU's.
 */
final class OpenMp {
  private static final String SET_THREADS = "omp_set_num_threads";
  private static final String GNU = "libgomp.so.1";

  static {
    Native.register(OpenMp.class, library());
  }

  private OpenMp() {}

  /** Sets the number of threads of the parallel regions that the calling thread begins. */
  static native void omp_set_num_threads(int threads);

  private static NativeLibrary library() {
    NativeLibrary process = NativeLibrary.getProcess();
    try {
      process.getFunction(SET_THREADS);
      return process;
    } catch (UnsatisfiedLinkError e) {
      return NativeLibrary.getInstance(GNU);
    }
  }
}
