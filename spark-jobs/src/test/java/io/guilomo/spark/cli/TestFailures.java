package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;

class TestFailures {

  /** Constructed, as nothing is forbidden to root. */
  @Test
  void aRefusalOfAFileSystemIsTheUsers() {
    assertTold(
        new UncheckedIOException(new AccessDeniedException("/data/out")),
        "/data/out: permission denied; ask its owner, or name another path");
    assertTold(
        new AccessDeniedException("/data/out", null, "Permission denied"),
        "/data/out: Permission denied; ask its owner, or name another path");
    assertTold(
        new AccessControlException(
            "Permission denied: user=eve, access=WRITE, inode=\"/data\":hdfs:hdfs:drwxr-xr-x\n\tat x"),
        "Permission denied: user=eve, access=WRITE, inode=\"/data\":hdfs:hdfs:drwxr-xr-x;"
            + " ask its owner, or name another path");
    assertTold(
        new SparkException(
            "Job aborted", new FileNotFoundException("/data/a.jsonl (Permission denied)")),
        "/data/a.jsonl (Permission denied); ask its owner, or name another path");
  }

  private static void assertTold(Exception exception, String reason) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        new Failures(new PrintStream(err, true, StandardCharsets.UTF_8)).ofJob(exception, false);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo("error: Cannot use a file: " + reason + System.lineSeparator());
    assertThat(status).isEqualTo(Main.USER_ERROR);
  }

  @Test
  void aMissingFileIsAFault() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    IOException missing = new FileNotFoundException("/data/a.jsonl (No such file or directory)");
    assertThat(new Failures(new PrintStream(err)).ofJob(missing, false)).isEqualTo(Main.FAILED);
  }
}
