package io.guilomo.adapter;

import io.guilomo.model.UserException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The files that another library reads an adapter from. */
public sealed interface AdapterFormat
    permits ReleasedAdapterFormat, PeftFormat, GuilomoFormat, MergedFormat {

  /**
   * Writes the files and a model card, replacing those of the same names.
   *
   * @param directory made where there is none
   * @throws UserException if the format has no place for such an adapter, or the directory has
   *     files that must not be replaced; nothing is written then
   */
  ExportedAdapter write(Adapter adapter, ModelCard card, Path directory, Configuration conf)
      throws IOException;

  /** The same with a model card of no run. */
  default ExportedAdapter write(Adapter adapter, Path directory, Configuration conf)
      throws IOException {
    AdapterDescription description = adapter.description();
    ModelCard card =
        new ModelCard(description, this, Optional.empty(), List.of(), license(description, conf));
    return write(adapter, card, directory, conf);
  }

  /** The library that reads the files, as Hugging Face's hub names it. */
  String library();

  /** What the files are, in a sentence. */
  String what();

  /** How the files are read, in Markdown, for whoever is in their directory. */
  String use(AdapterDescription description);

  /**
   * The license of what the files have of the model.
   *
   * @return empty if they have nothing of it, or its card does not say
   */
  default Optional<String> license(AdapterDescription description, Configuration conf)
      throws IOException {
    return Optional.empty();
  }

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
