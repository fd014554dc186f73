package io.guilomo.spark.run;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where this process runs. */
public final class Host {

  private static final String UNKNOWN = "?";

  private Host() {}

  /** Its name, which containers on several machines may share. */
  public static String name() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown host";
    }
  }

  /** What numbers of processes belong to: a start of the machine, and a container on it. */
  static String processes() {
    return boot() + " " + namespace();
  }

  private static String boot() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    } catch (IOException | RuntimeException e) {
      return UNKNOWN;
    }
  }

  private static String namespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
    } catch (IOException | RuntimeException e) {
      return UNKNOWN;
    }
  }
}
