package io.guilomo.kernel.vector;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.LoggerFactory;

/**
 * Keeps HotSpot's optimising compiler (C2) from compiling Vector API operations as separate
 * methods. Kernels still running interpreted call them so often that C2 would compile each of them
 * before the kernels; compiled kernels inline them all.
 */
final class VectorCompilation {

  private static final String DIRECTIVES =
      """
      [{
        match: ["jdk/incubator/vector/*.*", "jdk/internal/vm/vector/*.*"],
        c2: { Exclude: true }
      }]
      """;

  private static final boolean DIRECTED = add();

  private VectorCompilation() {}

  /**
   * Adds the directives once per process.
   *
   * @return whether this JVM took the directives (JEP 165)
   */
  static boolean direct() {
    return DIRECTED;
  }

  private static boolean add() {
    try {
      Path file = Files.createTempFile("guilomo-directives-", ".json");
      try {
        Files.writeString(file, DIRECTIVES);
        Object reply =
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "compilerDirectivesAdd",
                    new Object[] {new String[] {file.toString()}},
                    new String[] {String[].class.getName()});
        // Errors in directives are reported only in the reply.
        return reply.toString().startsWith("1 compiler directives added");
      } finally {
        Files.delete(file);
      }
    } catch (IOException | JMException | RuntimeException e) {
      LoggerFactory.getLogger(VectorCompilation.class).debug("The JVM takes no directives", e);
      return false;
    }
  }
}
