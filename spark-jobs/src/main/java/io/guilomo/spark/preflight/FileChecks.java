package io.guilomo.spark.preflight;

import io.guilomo.family.ModelReader;
import io.guilomo.io.Tokenizer;
import io.guilomo.model.UserException;
import io.guilomo.sizing.ByteSize;
import io.guilomo.spark.data.DataFile;
import io.guilomo.spark.data.DataFiles;
import io.guilomo.spark.run.OutputDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

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
    if (hasTokenizer(hadoop)) {
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
    ModelReader.Checked checked = ModelReader.check(model, hadoop);
    return String.format(
        Locale.ROOT,
        "%s has all tensors, %,d parameters%s",
        model,
        checked.config().parameters(),
        checked.unread().describe().map(text -> "; " + text).orElse(""));
  }

  private boolean hasTokenizer(Configuration hadoop) {
    try {
      return Tokenizer.isIn(model, hadoop);
    } catch (IOException e) {
      // The check of the model says why.
      return false;
    }
  }

  private String tokenizer(Configuration hadoop) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(model, hadoop)) {
      return String.format(Locale.ROOT, "%,d tokens", tokenizer.vocabulary());
    }
  }

  private static String read(String name, Configuration hadoop) throws IOException {
    DataFiles found = DataFiles.find(name, hadoop);
    long bytes = 0;
    for (DataFile file : found.files()) {
      try (InputStream in = file.open(hadoop)) {
        in.read();
      }
      bytes += file.length();
    }
    int count = found.files().size();
    return count == 0
        ? name + " exists"
        : "%s opened, %d %s of %s"
            .formatted(name, count, count == 1 ? "file" : "files", ByteSize.text(bytes));
  }

  private String write(Configuration hadoop) {
    OutputDirectory.check(output, hadoop);
    return output + " can be written";
  }
}
