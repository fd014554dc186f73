package io.guilomo.adapter;

import java.util.List;
import org.apache.hadoop.fs.Path;

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
