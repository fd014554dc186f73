package io.guilomo.adapter;

import io.guilomo.io.SafetensorsModel;
import io.guilomo.io.StoredTensor;
import io.guilomo.io.TensorType;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code W + s B A [out, in]} of a module with one expert: {@code Σ_r (s B_or) A_ri} and the sum
 * with {@code W} in float32, which is then rounded to the type of {@code W}, to nearest with ties
 * to even. A block of {@code W} is in memory at a time.
 */
final class MergedWeight implements StoredTensor.Content {

  private final SafetensorsModel weights;
  private final StoredTensor tensor;
  private final int in;
  private final int rank;

  /** {@code A [r, in]}, row by row. */
  private final float[] a;

  /** {@code s B [out, r]}, row by row. */
  private final float[] b;

  private final float[] update;

  /**
   * @param tensor {@code W} as it is stored
   */
  MergedWeight(
      SafetensorsModel weights, StoredTensor tensor, ModuleExperts module, Adapter adapter) {
    this.weights = weights;
    this.tensor = tensor;
    this.in = module.module().inFeatures();
    this.rank = module.ranks().get(0);
    this.a = values(adapter.tensors().get(AdapterTensors.a(module, 0)));
    this.b = values(adapter.tensors().get(AdapterTensors.b(module, 0)));
    float scaling = module.scalings().get(0).floatValue();
    for (int i = 0; i < b.length; i++) {
      b[i] *= scaling;
    }
    this.update = new float[in];
  }

  private static float[] values(INDArray tensor) {
    return tensor.dup('c').data().asFloat();
  }

  @Override
  public void write(OutputStream out) throws IOException {
    TensorType type = tensor.type();
    try {
      weights.read(
          tensor.name(),
          (position, stored, count) -> {
            float[] values = Arrays.copyOf(stored, count);
            add(position, values);
            for (float value : values) {
              if (!type.holds(value)) {
                throw new UserException(
                    "Cannot merge into tensor %s: %s would be out of the range of %s; train again"
                        + " with a lower learning rate, or load the adapter with deploy/python",
                    tensor.name(), value, type);
              }
            }
            try {
              out.write(type.bytes(values, count));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          },
          null);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Adds the update's elements from {@code position} on. */
  private void add(long position, float[] values) {
    for (int done = 0; done < values.length; ) {
      int row = (int) ((position + done) / in);
      int column = (int) ((position + done) % in);
      int end = Math.min(in, column + values.length - done);
      Arrays.fill(update, column, end, 0);
      for (int r = 0; r < rank; r++) {
        float factor = b[row * rank + r];
        int offset = r * in;
        for (int i = column; i < end; i++) {
          update[i] += factor * a[offset + i];
        }
      }
      for (int i = column; i < end; i++) {
        values[done + i - column] += update[i];
      }
      done += end - column;
    }
  }
}
