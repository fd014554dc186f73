package io.guilomo.kernel.vector;

import org.bytedeco.javacpp.FloatPointer;

/** A library's products of float matrices. */
interface Products {

  /** The library by name. */
  String name();

  /** Makes the library compute the calling thread's products with that thread alone. */
  void useOneThread();

  /**
   * Whether rows, and blocks of 16 columns, have the same bits whether computed alone or with
   * others.
   */
  boolean strict();

  /** {@code c = alpha · a' · b' + beta · c}, {@code c [m, n]}; strides in elements. */
  void product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      FloatPointer a,
      int strideA,
      FloatPointer b,
      int strideB,
      float beta,
      FloatPointer c,
      int strideC);
}
