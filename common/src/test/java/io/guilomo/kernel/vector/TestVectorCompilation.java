package io.guilomo.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

class TestVectorCompilation {

  @Test
  void theJvmHasTheDirectivesOnceHoweverOftenKernelsAreMade() throws JMException {
    new VectorKernels();
    new VectorKernels();
    assertThat(VectorCompilation.direct()).isTrue();
    String directives =
        (String)
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "compilerDirectivesPrint",
                    new Object[0],
                    new String[0]);
    assertThat(directives)
        .containsOnlyOnce("jdk/incubator/vector/*.*")
        .containsOnlyOnce("jdk/internal/vm/vector/*.*")
        .containsOnlyOnce("Exclude:true")
        .containsPattern("c2 directives:\\s+inline: -\\s+Enable:true Exclude:true");
  }
}
