package io.guilomo.spark.tracking;

import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RunLayout;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLConnection;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** The files of a job that are recorded with it, the smallest first. */
record RunFiles(TrackedJob job, JobTracker.Ending ending) {

  /** Patterns of what the jobs write beside report and settings. */
  private static final Map<String, String> OWN =
      Map.of(
          JobRun.ALLOCATE, "(plan|rank|expert)(-seed-.+)?\\.json|measurements\\.json",
          JobRun.FINETUNE, "plan\\.json",
          JobRun.COMPARE, "plan(-.+)?\\.json|rank\\.json|expert\\.json");

  /** Opens a file, as often as it is sent. */
  @FunctionalInterface
  interface Content {
    InputStream open() throws IOException;
  }

  /**
   * A file.
   *
   * @param name relative to the run's files
   * @param length in bytes
   */
  record RunFile(String name, long length, Content content) {

    String contentType() {
      String guessed = URLConnection.guessContentTypeFromName(name);
      return guessed == null ? "application/octet-stream" : guessed;
    }

    /**
     * What is sent.
     *
     * @param progress called whenever the server has taken some of it
     * @param unread is told why the file cannot be read
     */
    BodyPublisher body(Runnable progress, Consumer<IOException> unread) {
      // With its length: not all servers take a body without.
      return length == 0
          ? BodyPublishers.noBody()
          : BodyPublishers.fromPublisher(
              BodyPublishers.ofInputStream(() -> opened(progress, unread)), length);
    }

    private InputStream opened(Runnable progress, Consumer<IOException> unread) {
      try {
        return new FilterInputStream(content.open()) {
          @Override
          public int read(byte[] bytes, int from, int most) throws IOException {
            progress.run();
            try {
              return super.read(bytes, from, most);
            } catch (IOException e) {
              unread.accept(e);
              throw e;
            }
          }
        };
      } catch (IOException e) {
        unread.accept(e);
        throw new UncheckedIOException(e);
      }
    }
  }

  List<RunFile> list() throws IOException {
    List<RunFile> files = new ArrayList<>();
    byte[] settings = job.config().asHocon().getBytes(StandardCharsets.UTF_8);
    files.add(
        new RunFile(RunLayout.CONFIG, settings.length, () -> new ByteArrayInputStream(settings)));
    FileSystem fileSystem = job.directory().getFileSystem(job.hadoop());
    if (!fileSystem.exists(job.directory())) {
      return files;
    }
    for (FileStatus file : fileSystem.listStatus(job.directory())) {
      if (file.isFile() && isSent(file.getPath().getName())) {
        files.add(file(fileSystem, file, file.getPath().getName()));
      }
    }
    Path adapter = new Path(job.directory(), RunLayout.ADAPTER);
    if (job.name().equals(JobRun.FINETUNE) && ending.succeeded() && fileSystem.exists(adapter)) {
      RemoteIterator<LocatedFileStatus> all = fileSystem.listFiles(adapter, false);
      while (all.hasNext()) {
        LocatedFileStatus file = all.next();
        files.add(file(fileSystem, file, RunLayout.ADAPTER + "/" + file.getPath().getName()));
      }
    }
    files.sort(Comparator.comparingLong(RunFile::length));
    return files;
  }

  private boolean isSent(String name) {
    return name.equals(RunLayout.REPORT)
        ? ending.reported()
        : ending.succeeded()
            && (!name.equals(RunLayout.PLAN) || job.hasPlan())
            && name.matches(OWN.getOrDefault(job.name(), ""));
  }

  private static RunFile file(FileSystem fileSystem, FileStatus file, String name) {
    return new RunFile(name, file.getLen(), () -> fileSystem.open(file.getPath()));
  }
}
