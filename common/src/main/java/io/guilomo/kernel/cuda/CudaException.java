package io.guilomo.kernel.cuda;

/** What a CUDA library refused to do: a defect, or a card that fails. */
public final class CudaException extends RuntimeException {

  private static final long serialVersionUID = 1;

  CudaException(String library, String error, String what) {
    super("%s by %s in %s".formatted(error, library, what));
  }
}
