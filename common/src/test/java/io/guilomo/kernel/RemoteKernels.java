package io.guilomo.kernel;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Kernels of the processor that pretend to have a memory of their own: what they allocate holds NaN
 * for whoever reads it, and takes no notice of whoever writes it. The values lie in other arrays
 * that only these kernels know.
 */
final class RemoteKernels {
  static final String NAME = "remote";

  private final Kernels kernels = KernelSelection.named("vector");
  private final Map<Long, INDArray> hidden = new ConcurrentHashMap<>();

  /** Keeps the addresses of what is hidden from being used again. */
  private final Map<Long, INDArray> shown = new ConcurrentHashMap<>();

  private RemoteKernels() {}

  static Kernels open() {
    RemoteKernels remote = new RemoteKernels();
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, method, arguments) -> {
              switch (method.getName()) {
                case "memory":
                  return NAME;
                case "keepsHalf":
                  return false;
                case "allocate":
                  return remote.allocate((DataType) arguments[0], (long) arguments[1]);
                case "release":
                  if (arguments[0] instanceof INDArray array) {
                    remote.release(array);
                  } else if (arguments[0] instanceof FrozenMatrix) {
                    return InvocationHandler.invokeDefault(proxy, method, arguments);
                  }
                  return null;
                case "frozen", "matmul", "matmulBackward":
                  return InvocationHandler.invokeDefault(proxy, method, arguments);
                case "gatherRows":
                  return arguments[0] instanceof FrozenMatrix
                      ? InvocationHandler.invokeDefault(proxy, method, arguments)
                      : remote.call(method, arguments);
                case "write":
                  remote.write((float[]) arguments[0], (INDArray) arguments[1]);
                  return null;
                case "hashCode":
                  return System.identityHashCode(proxy);
                case "equals":
                  return proxy == arguments[0];
                default:
                  return remote.call(method, arguments);
              }
            });
  }

  private Object call(java.lang.reflect.Method method, Object[] arguments) throws Throwable {
    Object[] translated = arguments == null ? null : arguments.clone();
    for (int i = 0; translated != null && i < translated.length; i++) {
      if (translated[i] instanceof INDArray array) {
        translated[i] = hidden(array);
      }
    }
    try {
      return method.invoke(kernels, translated);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private INDArray allocate(DataType type, long length) {
    DataType kept = type == DataType.BFLOAT16 ? DataType.FLOAT : type;
    INDArray values = kernels.allocate(kept, length);
    INDArray array = Nd4j.createUninitialized(type, length);
    array.assign(Float.NaN);
    values.assign(Float.NaN);
    hidden.put(array.data().address(), values);
    shown.put(array.data().address(), array);
    return array;
  }

  private void release(INDArray array) {
    if (shown.get(array.data().address()) != array) {
      throw new IllegalArgumentException("Cannot release what was not allocated");
    }
    hidden.remove(array.data().address());
    shown.remove(array.data().address());
  }

  private void write(float[] source, INDArray target) {
    float[] values = source;
    if (target.dataType() == DataType.BFLOAT16) {
      values = source.clone();
      for (int i = 0; i < values.length; i++) {
        values[i] = rounded(values[i]);
      }
    }
    kernels.write(values, hidden(target));
  }

  /** To the nearest bfloat16, ties to even. */
  static float rounded(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  }

  private INDArray hidden(INDArray array) {
    INDArray values = hidden.get(array.data().address());
    if (values == null) {
      throw new IllegalArgumentException(
          "Cannot compute with an array of the host or one that was released");
    }
    return Nd4j.create(values.data(), array.shape(), array.stride(), array.offset(), 'c');
  }
}
