package io.guilomo.spark.preflight;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.Pointer;

/**
 * A limit of the memory that a process can use outside the Java heap.
 *
 * @param source what sets the limit
 */
public record MemoryLimit(String source, long bytes) implements Serializable {

  /** JavaCPP's limit of what it allocates. */
  static final String MAX_BYTES = "org.bytedeco.javacpp.maxBytes";

  static final String MACHINE = "the machine's memory";
  static final String CONTROL_GROUP = "the control group's memory";
  static final String OVERHEAD = "spark.executor.memoryOverhead";

  private static final Pattern OPTION =
      Pattern.compile("-D" + Pattern.quote(MAX_BYTES) + "=(\\S+)");
  private static final Pattern TOTAL = Pattern.compile("(?m)^MemTotal:\\s*(\\d{1,15}) kB$");
  private static final long MEBI = 1L << 20;
  private static final long LEAST_OVERHEAD = 384;
  private static final double OVERHEAD_SHARE = 0.1;

  /** The limits of this process. */
  public static List<MemoryLimit> here() {
    List<MemoryLimit> limits = new ArrayList<>();
    add(limits, MAX_BYTES, Pointer.maxBytes());
    add(limits, "org.bytedeco.javacpp.maxPhysicalBytes", Pointer.maxPhysicalBytes());
    add(limits, MACHINE, total(text("/proc/meminfo")));
    add(limits, CONTROL_GROUP, number(text("/sys/fs/cgroup/memory.max")));
    add(limits, CONTROL_GROUP, number(text("/sys/fs/cgroup/memory/memory.limit_in_bytes")));
    return limits;
  }

  /** The limits that follow from the settings of a cluster's executors, before any of them runs. */
  public static List<MemoryLimit> ofExecutors(SparkConf conf) {
    List<MemoryLimit> limits = new ArrayList<>();
    long heap = conf.getSizeAsMb("spark.executor.memory", "1g") * MEBI;
    String options =
        conf.get("spark.executor.defaultJavaOptions", "")
            + " "
            + conf.get("spark.executor.extraJavaOptions", "");
    add(limits, MAX_BYTES, maxBytes(options, heap));
    String master = conf.get("spark.master", "");
    if (master.startsWith("yarn") || master.startsWith("k8s")) {
      long unset = (long) Math.max(LEAST_OVERHEAD, overheadFactor(conf, master) * heap / MEBI);
      add(limits, OVERHEAD, conf.getSizeAsMb(OVERHEAD, unset + "m") * MEBI);
    }
    return limits;
  }

  /** The overhead as a share of the heap, where the overhead itself is not set. */
  private static double overheadFactor(SparkConf conf, String master) {
    double share =
        master.startsWith("k8s")
            ? conf.getDouble("spark.kubernetes.memoryOverheadFactor", OVERHEAD_SHARE)
            : OVERHEAD_SHARE;
    return conf.getDouble("spark.executor.memoryOverheadFactor", share);
  }

  /** The limit set by Java options; without one, JavaCPP uses the size of the heap. */
  private static long maxBytes(String options, long heap) {
    Matcher option = OPTION.matcher(options);
    String given = "";
    while (option.find()) {
      given = option.group(1);
    }
    try {
      return given.isEmpty() ? heap : Pointer.parseBytes(given, heap);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** The smallest of the limits, if there are any. */
  public static Optional<MemoryLimit> smallest(List<MemoryLimit> limits) {
    return limits.stream().min(Comparator.comparingLong(MemoryLimit::bytes));
  }

  /** Whether a setting can raise the limit. */
  boolean raised() {
    return !source.equals(MACHINE) && !source.equals(CONTROL_GROUP);
  }

  /** The machine's memory in bytes, from the text of {@code /proc/meminfo}; 0 if unknown. */
  static long total(String info) {
    Matcher line = TOTAL.matcher(info);
    return line.find() ? Long.parseLong(line.group(1)) << 10 : 0;
  }

  /** A number of bytes; 0 for {@code max}. */
  private static long number(String text) {
    return text.strip().matches("\\d{1,18}") ? Long.parseLong(text.strip()) : 0;
  }

  private static void add(List<MemoryLimit> limits, String source, long bytes) {
    if (bytes > 0) {
      limits.add(new MemoryLimit(source, bytes));
    }
  }

  private static String text(String file) {
    try {
      Path path = Path.of(file);
      return Files.isReadable(path) ? Files.readString(path, StandardCharsets.UTF_8) : "";
    } catch (IOException e) {
      return "";
    }
  }
}
