package io.guilomo.spark.data;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/**
 * A file of records.
 *
 * @param path qualified
 * @param length in bytes
 * @param modified when, in milliseconds since 1970
 * @param partition values of the directories that it is in, such as {@code label=1}, by their names
 */
public record DataFile(String path, long length, long modified, Map<String, String> partition)
    implements Serializable {

  private static final String ZSTANDARD = ".zst";

  /** Names of the values of its directories; serializable. */
  Set<String> directories() {
    return new LinkedHashSet<>(partition.keySet());
  }

  /** Opens the file, and decompresses it if its extension says so. */
  public InputStream open(Configuration conf) throws IOException {
    Path file = new Path(path);
    InputStream in = new BufferedInputStream(raw(file, conf), 1 << 16);
    try {
      if (path.endsWith(ZSTANDARD)) {
        // Hadoop's codec needs native libraries that few installations have.
        return new ZstdInputStream(in).setContinuous(false);
      }
      CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(file);
      return codec == null ? in : codec.createInputStream(in);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private static InputStream raw(Path file, Configuration conf) throws IOException {
    FileSystem system = file.getFileSystem(conf);
    // The name of its checksum file, which is what fails, begins with a dot.
    return system instanceof LocalFileSystem local && hasColon(file)
        ? local.getRaw().open(file)
        : system.open(file);
  }

  /** Whether a reader other than this can open and split the file. */
  boolean isPlain() {
    return !path.endsWith(ZSTANDARD) && !hasColon(new Path(path));
  }

  private static boolean hasColon(Path file) {
    return file.getName().indexOf(':') >= 0;
  }
}
