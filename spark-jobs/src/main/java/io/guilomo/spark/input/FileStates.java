package io.guilomo.spark.input;

import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.data.DataFiles;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;

/**
 * Names, sizes and times of change of files, which tell without reading them whether they are those
 * that they were. Directories have none: object stores say of them that they changed when asked.
 */
public final class FileStates {

  private FileStates() {}

  /** The files of a model's directory, below which nothing is read. */
  public static List<String> ofModel(String path, Configuration conf) throws IOException {
    UserPath model = UserPath.open(path, conf);
    return Arrays.stream(model.files().listStatus(model.path()))
        .filter(FileStatus::isFile)
        .map(file -> text(file.getPath(), file.getLen(), file.getModificationTime()))
        .sorted()
        .toList();
  }

  /**
   * All files of records that a path or pattern names.
   *
   * @throws UserException if there are none
   */
  public static List<String> ofRecords(String path, Configuration conf) {
    return DataFiles.find(path, conf).files().stream()
        .map(file -> text(file.path(), file.length(), file.modified()))
        .sorted()
        .toList();
  }

  private static String text(Object path, long length, long modified) {
    return path + " " + length + " " + modified;
  }
}
