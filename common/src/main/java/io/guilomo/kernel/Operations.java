package io.guilomo.kernel;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The operations of a backend, by theme. {@link CheckedKernels} check the arguments before calling
 * them.
 *
 * @param frozenTypes types of matrices that are only read: {@code b} of {@link
 *     MatmulKernels#product} and the table of {@link RowKernels#gatherRows}
 */
public record Operations(
    Device device,
    MatmulKernels matmuls,
    RowKernels rows,
    LayerKernels layers,
    AttentionKernels attention,
    ExpertKernels experts,
    FlatVectorKernels vectors,
    List<DataType> frozenTypes) {

  /**
   * All operations in one object.
   *
   * @param frozenTypes types of matrices that are only read
   */
  public static Operations of(Kernels all, List<DataType> frozenTypes) {
    return new Operations(all, all, all, all, all, all, all, frozenTypes);
  }
}
