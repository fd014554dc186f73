package io.guilomo.spark.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;

/** Forwards connections to a server of this machine, and loses some when told to. */
final class FaultyWire implements AutoCloseable {

  /** Bytes of a request after which it may be lost: more than any request without a body has. */
  private static final int MIDDLE = 16 << 10;

  private final ServerSocket entry = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
  private final int server;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "faulty-wire");
            thread.setDaemon(true);
            return thread;
          });
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean toLose = new AtomicBoolean();
  private volatile boolean cut;

  /**
   * @param server its port
   */
  FaultyWire(int server) throws IOException {
    this.server = server;
    threads.execute(this::accept);
  }

  int port() {
    return entry.getLocalPort();
  }

  /** Loses the next connection in the middle of an upload. */
  void loseOne() {
    toLose.set(true);
  }

  /** Whether {@link #loseOne} has come true. */
  boolean hasLost() {
    return !toLose.get();
  }

  /** Loses all connections, and those that are made before it is mended. */
  void cut() {
    cut = true;
    open.forEach(FaultyWire::close);
  }

  void mend() {
    cut = false;
  }

  private void accept() {
    while (!entry.isClosed()) {
      try {
        Socket client = entry.accept();
        if (cut) {
          close(client);
          continue;
        }
        Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server);
        open.add(client);
        open.add(upstream);
        threads.execute(() -> forward(client, upstream, true));
        threads.execute(() -> forward(upstream, client, false));
      } catch (IOException e) {
        // The wire is closed, or the server is away: the client sees it.
      }
    }
  }

  /** Until one end closes, and then closes both. */
  private void forward(Socket from, Socket to, boolean request) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[8 << 10];
      long sinceArmed = 0;
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        sinceArmed = request && toLose.get() ? sinceArmed + read : 0;
        if (sinceArmed > MIDDLE && toLose.compareAndSet(true, false)) {
          return;
        }
        out.write(bytes, 0, read);
        out.flush();
      }
    } catch (IOException e) {
      // Both ends see it.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is of no use any more.
    }
  }

  @Override
  public void close() throws IOException {
    entry.close();
    cut();
    threads.shutdownNow();
  }
}
