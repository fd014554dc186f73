package io.guilomo.kernel.cuda;

import io.guilomo.kernel.KernelProvider;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.UserException;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** Offers the cards of this machine; each is opened once per process. */
public final class CudaProvider implements KernelProvider {
  private static final int OLDEST_CAPABILITY = 80;
  private static final ConcurrentMap<Integer, CudaKernels> OPEN = new ConcurrentHashMap<>();

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public boolean gpu() {
    return true;
  }

  @Override
  public int priority() {
    return 100;
  }

  @Override
  public Optional<String> unavailable() {
    try {
      if (CudaDevice.count() == 0) {
        return Optional.of("CUDA's driver sees no card; look at CUDA_VISIBLE_DEVICES");
      }
    } catch (CudaException e) {
      return Optional.of(e.getMessage());
    } catch (LinkageError e) {
      return Optional.of("there is no NVIDIA driver (libcuda.so.1) on this machine");
    }
    try {
      Nvrtc.version();
      Cublas.load();
    } catch (LinkageError e) {
      return Optional.of(
          "there is a card, but no cuBLAS and NVRTC of CUDA 11 to 13 (libcublas.so, libnvrtc.so);"
              + " say where they are in "
              + CudaLibraries.VARIABLE);
    }
    CudaDevice first = CudaDevice.open(0);
    return first.capability() < OLDEST_CAPABILITY ? Optional.of(tooOld(first)) : Optional.empty();
  }

  @Override
  public int devices() {
    return CudaDevice.count();
  }

  @Override
  public String describe(int device) {
    return new CudaProbe((CudaKernels) open(device)).line();
  }

  @Override
  public Kernels open(int device) {
    return OPEN.computeIfAbsent(device, CudaProvider::opened);
  }

  private static CudaKernels opened(int ordinal) {
    CudaDevice device = CudaDevice.open(ordinal);
    if (device.capability() < OLDEST_CAPABILITY) {
      throw new UserException("Cannot compute on a GPU: " + tooOld(device));
    }
    return new CudaKernels(new CudaCard(device));
  }

  private static String tooOld(CudaDevice device) {
    return "GPU %d (%s) has compute capability %d.%d, 8.0 is needed"
        .formatted(
            device.ordinal(), device.name(), device.capability() / 10, device.capability() % 10);
  }
}
