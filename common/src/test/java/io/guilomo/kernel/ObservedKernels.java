package io.guilomo.kernel;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Kernels that show a test every call, so that code under test needs no hooks of its own. */
public final class ObservedKernels {

  /** Sees the calls. Arrays among the arguments are live: what is to be kept must be copied. */
  public interface Observer {

    default void before(String kernel, Object[] arguments) {}

    default void after(String kernel, Object[] arguments, Object result) {}
  }

  private ObservedKernels() {}

  public static Kernels of(Kernels kernels, Observer observer) {
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, method, arguments) -> {
              observer.before(method.getName(), arguments);
              try {
                Object result = method.invoke(kernels, arguments);
                observer.after(method.getName(), arguments, result);
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
