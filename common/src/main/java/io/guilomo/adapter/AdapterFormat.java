package io.guilomo.adapter;

import io.guilomo.model.UserException;
import java.io.IOException;
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
}
