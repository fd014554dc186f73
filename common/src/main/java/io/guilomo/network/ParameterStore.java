package io.guilomo.network;

import io.guilomo.io.FloatMemory;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The flat parameters, their gradient and the moments of AdamW that passes and steps work on: the
 * host's own arrays where the kernels compute in its memory, copies of them elsewhere.
 */
final class ParameterStore implements AutoCloseable {

  private static final int BLOCK = 1 << 20;

  private final HostParameters host;
  private final Kernels kernels;
  private final boolean onHost;
  private final INDArray parameters;
  private final INDArray gradient;
  private INDArray moments;

  ParameterStore(HostParameters host, Kernels kernels) {
    this.host = host;
    this.kernels = kernels;
    this.onHost = kernels.memory().equals(Kernels.HOST);
    if (onHost) {
      parameters = host.parameters();
      gradient = host.gradient();
    } else {
      parameters = kernels.allocate(DataType.FLOAT, host.size());
      try {
        gradient = kernels.allocate(DataType.FLOAT, host.size());
      } catch (RuntimeException e) {
        // Where a card is full.
        try {
          kernels.release(parameters);
        } catch (RuntimeException broken) {
          e.addSuppressed(broken);
        }
        throw e;
      }
      kernels.fill(gradient, 0);
      upload();
    }
  }

  INDArray parameters() {
    return parameters;
  }

  INDArray gradient() {
    return gradient;
  }

  /** The moments of AdamW; a network that is not trained never asks for it. */
  INDArray moments() {
    if (onHost) {
      return host.moments();
    }
    if (moments == null) {
      moments = kernels.allocate(DataType.FLOAT, 2 * host.size());
      upload(host.moments(), moments);
    }
    return moments;
  }

  /** Takes over parameters and moments that the host has changed. */
  void upload() {
    if (onHost) {
      return;
    }
    upload(host.parameters(), parameters);
    if (moments != null) {
      upload(host.moments(), moments);
    }
  }

  /** Brings parameters, gradient and moments back to the host. */
  void download() {
    if (onHost) {
      return;
    }
    download(parameters, host.parameters());
    download(gradient, host.gradient());
    if (moments != null) {
      download(moments, host.moments());
    }
  }

  private void upload(INDArray from, INDArray to) {
    FloatMemory memory = FloatMemory.of(from);
    float[] block = new float[(int) Math.min(BLOCK, from.length())];
    for (long done = 0; done < from.length(); done += block.length) {
      int count = (int) Math.min(block.length, from.length() - done);
      memory.get(done, block, count);
      kernels.write(block, ArrayViews.slice(to, done, count));
    }
  }

  private void download(INDArray from, INDArray to) {
    FloatMemory memory = FloatMemory.of(to);
    float[] block = new float[(int) Math.min(BLOCK, from.length())];
    for (long done = 0; done < from.length(); done += block.length) {
      int count = (int) Math.min(block.length, from.length() - done);
      kernels.read(ArrayViews.slice(from, done, count), block);
      memory.put(done, block, count);
    }
  }

  @Override
  public void close() {
    if (!onHost) {
      kernels.release(parameters);
      kernels.release(gradient);
      if (moments != null) {
        kernels.release(moments);
      }
    }
  }
}
