package io.guilomo.io;

import io.guilomo.model.UserException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What a clone without Git LFS has in place of a large file: a few lines of text that begin with a
 * <a href="https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md">version</a>.
 */
final class LfsPointer {

  /** No pointer is longer. */
  static final int MAX_BYTES = 1024;

  private static final byte[] START =
      "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

  private LfsPointer() {}

  /**
   * @param start the first bytes of a file, at least eight
   * @throws UserException if the file is a pointer
   */
  static void refuse(Object file, byte[] start) {
    int compared = Math.min(start.length, START.length);
    if (compared >= Long.BYTES && Arrays.equals(start, 0, compared, START, 0, compared)) {
      throw SafetensorsHeader.refuse(
          file,
          "it is a Git LFS pointer, not the file that it stands for; run git lfs pull in the clone,"
              + " or download the model with hf download");
    }
  }
}
