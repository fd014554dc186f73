package io.guilomo.adapter;

import java.util.List;
import org.apache.hadoop.fs.Path;

/**
 * What an export has written.
 *
 * @param files in the order in which they were written
 * @param largestRank of the experts in the files, padding included: what a server of LoRA adapters
 *     must allow
 */
public record ExportedAdapter(List<Path> files, int largestRank) {

  public ExportedAdapter {
    files = List.copyOf(files);
  }
}
