package io.guilomo.adapter;

import io.guilomo.model.UserException;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The files that another library reads an adapter from. */
public sealed interface AdapterFormat permits ReleasedAdapterFormat, PeftFormat, GuilomoFormat {

  /**
   * Writes the files, replacing those of the same names.
   *
   * @param directory made where there is none
   * @throws UserException if the format has no place for such an adapter; nothing is written then
   */
  ExportedAdapter write(Adapter adapter, Path directory, Configuration conf) throws IOException;

  /**
   * The files of an export.
   *
   * @param files in the order in which they were written
   * @param largestRank largest rank of an expert in the files, with padding; a server of LoRA
   *     adapters must allow it
   */
  public record ExportedAdapter(List<Path> files, int largestRank) {

    public ExportedAdapter {
      files = List.copyOf(files);
    }
  }
}
