package io.guilomo.kernel;

/**
 * The numerical operations of a LoRA-MoE transformer, forward and backward, beyond what one library
 * call does.
 *
 * <p>A method may return before its operation has finished; a read sees the results of all
 * operations submitted before it.
 *
 * <p>Conventions. Arrays are 32-bit floats unless stated otherwise. A matrix {@code [rows,
 * columns]} is row-major with unit column stride and any row stride of at least {@code columns}, so
 * column ranges of wider arrays can be passed as views; a vector is contiguous. {@code T} is the
 * number of real tokens of a packed batch, whose sequence {@code i} is the rows {@code starts[i] ..
 * starts[i + 1] − 1}. Arrays documented as results are overwritten, those with {@code +=} are added
 * to; no argument may overlap another unless documented. The same input and number of threads give
 * the same bits.
 */
public interface Kernels
    extends Device,
        MatmulKernels,
        RowKernels,
        LayerKernels,
        AttentionKernels,
        ExpertKernels,
        FlatVectorKernels {

  /** How precisely matmuls with frozen matrices of 16-bit floats treat activations. */
  enum Accuracy {
    /** Activations may be rounded to about the precision of bfloat16 weights. */
    ROUNDED,
    /**
     * On processors as {@link #EXACT}, on cards as {@link #ROUNDED}: for the other passes of a
     * search whose vectors are choices. Where they are rounded, a token that lies between two
     * experts may choose the other one, and a small gradient may change its sign, of which AdamW's
     * first updates consist.
     */
    STEADY,
    /**
     * Activations keep twice bfloat16's precision or more: for passes whose results are subtracted
     * from each other (arXiv 2506.14646, eq. 7).
     */
    EXACT
  }
}
