package io.guilomo.family;

import io.guilomo.network.Backbone;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.apache.hadoop.conf.Configuration;
import org.nd4j.linalg.api.buffer.DataType;

/** The backbones of this JVM: one copy per memory, shared by all its tasks. */
public final class BackboneCache {

  private static final ConcurrentMap<Key, FutureTask<Backbone>> BACKBONES =
      new ConcurrentHashMap<>();

  private record Key(String uri, String memory, DataType matrices) {

    static Key of(String uri, FrozenMemory memory) {
      return new Key(uri, memory.kernels().memory(), memory.matrices());
    }
  }

  private BackboneCache() {}

  /**
   * The backbone of a directory, loaded on the first call; concurrent callers wait for that one.
   */
  public static Backbone get(String uri, Configuration conf) throws IOException {
    return get(uri, conf, FrozenMemory.host());
  }

  /** As {@link #get(String, Configuration)}, in the given memory. */
  public static Backbone get(String uri, Configuration conf, FrozenMemory memory)
      throws IOException {
    Key key = Key.of(uri, memory);
    FutureTask<Backbone> mine = new FutureTask<>(() -> load(uri, conf, memory));
    FutureTask<Backbone> first = BACKBONES.putIfAbsent(key, mine);
    if (first == null) {
      mine.run();
      first = mine;
    }
    try {
      return first.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException)
          new InterruptedIOException("interrupted while loading " + uri).initCause(e);
    } catch (ExecutionException e) {
      BACKBONES.remove(key, first);
      throw rethrown(e.getCause());
    }
  }

  private static Backbone load(String uri, Configuration conf, FrozenMemory memory)
      throws IOException {
    Backbone backbone = ModelReader.load(uri, conf, memory);
    // Other tasks read it from streams of their own.
    memory.kernels().finish();
    return backbone;
  }

  private static IOException rethrown(Throwable cause) {
    if (cause instanceof RuntimeException e) {
      throw e;
    }
    if (cause instanceof Error e) {
      throw e;
    }
    return (IOException) cause;
  }

  /** Forgets all backbones; their memory is freed when nothing else refers to them. */
  static void clear() {
    BACKBONES.clear();
  }
}
