package io.guilomo.kernel.vector;

import org.bytedeco.javacpp.FloatPointer;

/** Products on raw addresses with the library that was chosen, on the calling thread alone. */
class Blas {
  private static final ThreadLocal<Blas> OF_THREAD = ThreadLocal.withInitial(Blas::new);
  private static volatile ProductLibraries libraries =
      new ProductLibraries(new BlasProducts(), null);

  private final Address a = new Address();
  private final Address b = new Address();
  private final Address c = new Address();
  private FloatPointer scratch = new FloatPointer(1);

  private Blas() {}

  /** The instance of the calling thread. */
  static Blas ofThread() {
    libraries.floats().useOneThread();
    return OF_THREAD.get();
  }

  /** Makes all threads use these. */
  static void use(ProductLibraries chosen) {
    libraries = chosen;
  }

  static Products library() {
    return libraries.floats();
  }

  /** Null where 16-bit floats are not multiplied as such. */
  static Bfloat16Products bfloat16() {
    return libraries.bfloat16();
  }

  static ProductLibraries libraries() {
    return libraries;
  }

  /** Memory of this thread, valid until the next call. */
  VectorMemory scratch(int rows, int columns) {
    long length = (long) rows * columns;
    if (scratch.capacity() < length) {
      scratch.close();
      scratch = new FloatPointer(length);
    }
    return VectorMemory.at(scratch, rows, columns);
  }

  /** {@code c = alpha · a' · b' + beta · c}, {@code c [m, n]}; strides in elements. */
  void product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long addressA,
      int strideA,
      long addressB,
      int strideB,
      float beta,
      long addressC,
      int strideC) {
    library()
        .product(
            transposeA,
            transposeB,
            m,
            n,
            k,
            alpha,
            a.at(addressA),
            strideA,
            b.at(addressB),
            strideB,
            beta,
            c.at(addressC),
            strideC);
  }

  private static class Address extends FloatPointer {
    Address at(long address) {
      this.address = address;
      return this;
    }
  }
}
