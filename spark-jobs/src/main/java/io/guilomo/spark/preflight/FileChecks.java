package io.guilomo.spark.preflight;

import io.guilomo.family.BackboneCache;
import io.guilomo.family.Families;
import io.guilomo.io.Tokenizer;
import io.guilomo.model.UserException;
import io.guilomo.sizing.ByteSize;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Checks of the files that a run reads and writes.
 *
 * @param model directory of the model
 * @param data paths by their configuration keys
 * @param output directory of the runs, which need not exist yet; empty: not checked
 */
record FileChecks(String model, Map<String, String> data, String output) implements Serializable {

  FileChecks {
    data = new LinkedHashMap<>(data);
  }

  /** Opens everything from this process, without reading much. */
  List<Check> run(Configuration hadoop) {
    List<Check> checks = new ArrayList<>();
    checks.add(check("guilomo.model.path", () -> model(hadoop)));
    if (!model.startsWith(BackboneCache.MEMORY_SCHEME)) {
      checks.add(check("tokenizer", () -> tokenizer(hadoop)));
    }
    data.forEach((key, path) -> checks.add(check(key, () -> read(path, hadoop))));
    if (!output.isEmpty()) {
      checks.add(check("guilomo.output.dir", () -> write(hadoop)));
    }
    return checks;
  }

  private interface Attempt {
    String run() throws IOException;
  }

  private static Check check(String name, Attempt attempt) {
    try {
      return Check.ok(name, attempt.run());
    } catch (UserException e) {
      return Check.cannot(name, e.getMessage());
    } catch (IOException | RuntimeException e) {
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      return Check.cannot(name, "Cannot use it: " + reason.lines().findFirst().orElse(""));
    }
  }

  private String model(Configuration hadoop) throws IOException {
    if (model.startsWith(BackboneCache.MEMORY_SCHEME)) {
      return model;
    }
    Families.Checked checked = Families.check(model, hadoop);
    return String.format(
        Locale.ROOT,
        "%s has all tensors, %,d parameters%s",
        model,
        checked.config().parameters(),
        checked.unread().describe().map(text -> "; " + text).orElse(""));
  }

  private String tokenizer(Configuration hadoop) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(model, hadoop)) {
      return String.format(Locale.ROOT, "%,d tokens", tokenizer.vocabulary());
    }
  }

  private static String read(String pattern, Configuration hadoop) throws IOException {
    Path path = new Path(pattern);
    FileSystem files = path.getFileSystem(hadoop);
    FileStatus[] found = files.globStatus(path);
    if (found == null || found.length == 0) {
      throw new UserException("Cannot read " + pattern + ": there is no such file");
    }
    int count = 0;
    long bytes = 0;
    for (FileStatus status : found) {
      for (FileStatus file :
          status.isDirectory() ? files.listStatus(status.getPath()) : new FileStatus[] {status}) {
        if (file.isFile() && !file.getPath().getName().matches("[._].*")) {
          try (FSDataInputStream in = files.open(file.getPath())) {
            count += in.read() >= 0 ? 1 : 0;
          }
          bytes += file.getLen();
        }
      }
    }
    // The files of a partitioned table are in subdirectories.
    return count == 0
        ? pattern + " exists"
        : "%s opened, %d %s of %s"
            .formatted(pattern, count, count == 1 ? "file" : "files", ByteSize.text(bytes));
  }

  /** Creates and deletes a file in the directory, or in its nearest existing ancestor. */
  private String write(Configuration hadoop) throws IOException {
    Path directory = new Path(output);
    FileSystem files = directory.getFileSystem(hadoop);
    Path existing = files.makeQualified(directory);
    while (!files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    if (!files.getFileStatus(existing).isDirectory()) {
      throw new UserException("Cannot write into " + output + ": " + existing + " is a file");
    }
    Path probe = new Path(existing, "_guilomo-doctor-" + UUID.randomUUID());
    try {
      files.create(probe, false).close();
    } catch (IOException e) {
      throw new IOException("Cannot write into " + existing + ": " + e.getMessage(), e);
    }
    if (!files.delete(probe, false)) {
      throw new IOException("Cannot delete " + probe);
    }
    return output + " can be written";
  }
}
