package io.guilomo.spark.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** The local disk as {@code quota:}, which is full after so many bytes. */
public final class QuotaFileSystem extends RawLocalFileSystem {

  private static final AtomicLong FREE = new AtomicLong(Long.MAX_VALUE);

  /** A disk with little room, until it is closed. */
  public record Quota() implements AutoCloseable {
    /** Whether more was to be written than there was room for. */
    public boolean exceeded() {
      return FREE.get() < 0;
    }

    @Override
    public void close() {
      FREE.set(Long.MAX_VALUE);
    }
  }

  public static Quota allow(long bytes) {
    FREE.set(bytes);
    return new Quota();
  }

  public static Configuration configure(Configuration conf) {
    conf.setClass("fs.quota.impl", QuotaFileSystem.class, org.apache.hadoop.fs.FileSystem.class);
    return conf;
  }

  @Override
  public URI getUri() {
    return URI.create("quota:///");
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return limited(
        super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return limited(super.create(path, overwrite, bufferSize, replication, blockSize, progress));
  }

  private static FSDataOutputStream limited(FSDataOutputStream out) throws IOException {
    return new FSDataOutputStream(
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int from, int count) throws IOException {
            if (FREE.addAndGet(-count) < 0) {
              throw new IOException("No space left on device");
            }
            out.write(bytes, from, count);
          }

          @Override
          public void close() throws IOException {
            out.close();
          }
        },
        null);
  }
}
