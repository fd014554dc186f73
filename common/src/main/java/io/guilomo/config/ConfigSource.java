package io.guilomo.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** Reads what the user gives: a file, and overrides {@code path=value}. */
final class ConfigSource {

  private static final long MAX_BYTES = 1 << 20;
  private static final String SPARK_HADOOP = "spark.hadoop.";

  private ConfigSource() {}

  static Config read(String file) {
    try {
      Path path = UserPath.of(file);
      FileSystem system = path.getFileSystem(localByDefault());
      FileStatus status = system.getFileStatus(path);
      if (!status.isFile()) {
        throw refuse(file, "it is a directory");
      }
      if (status.getLen() > MAX_BYTES) {
        throw refuse(
            file, String.format("it has %d bytes, more than %d", status.getLen(), MAX_BYTES));
      }
      if (system instanceof LocalFileSystem local) {
        // As a file, so that it can include others from its directory.
        return ConfigFactory.parseFile(local.pathToFile(path));
      }
      byte[] bytes = new byte[(int) status.getLen()];
      try (FSDataInputStream in = system.open(path)) {
        in.readFully(bytes);
      }
      return ConfigFactory.parseString(new String(bytes, StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      throw refuse(file, "there is no such file");
    } catch (IOException | ConfigException e) {
      throw refuse(file, firstLine(e));
    } catch (UserException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw refuse(file, firstLine(e));
    }
  }

  static Config override(String override, KnownKeys known) {
    int equals = override.indexOf('=');
    if (equals < 1) {
      throw new UserException("Cannot use --set %s: expected path=value", override);
    }
    String given = override.substring(0, equals).strip();
    String value = override.substring(equals + 1).strip();
    String path =
        given.startsWith(GuilomoConfig.ROOT + ".") ? given : GuilomoConfig.ROOT + "." + given;
    if (!path.matches("[A-Za-z0-9_.-]+") || path.contains("..") || path.endsWith(".")) {
      throw KnownKeys.unknown(path, known.nearest(path));
    }
    if (known.isText(path)) {
      return ConfigFactory.empty().withValue(path, ConfigValueFactory.fromAnyRef(value));
    }
    try {
      Config parsed = ConfigFactory.parseString("value = " + value);
      if (parsed.root().size() == 1 && parsed.hasPath("value")) {
        return parsed.getValue("value").atPath(path);
      }
    } catch (ConfigException e) {
      // Kept as text; the check of the key then refuses it by name.
    }
    return ConfigFactory.empty().withValue(path, ConfigValueFactory.fromAnyRef(value));
  }

  /** The first line of the message. */
  static String firstLine(Exception e) {
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return message.lines().findFirst().orElse(message);
  }

  private static Configuration localByDefault() {
    Configuration configuration = new Configuration();
    // Where spark-submit leaves the settings of file systems; there is no Spark session yet.
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith(SPARK_HADOOP)) {
        configuration.set(name.substring(SPARK_HADOOP.length()), System.getProperty(name));
      }
    }
    // As in spark-submit, a path without a scheme is a local file, whatever fs.defaultFS says.
    configuration.set("fs.defaultFS", "file:///");
    return configuration;
  }

  private static UserException refuse(String file, String reason) {
    return new UserException("Cannot read configuration %s: %s", file, reason);
  }
}
