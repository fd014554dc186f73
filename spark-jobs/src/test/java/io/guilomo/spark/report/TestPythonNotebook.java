package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The notebook in Python, for which the packaged jar reads the tables of made-up runs. */
@Tag("slow")
class TestPythonNotebook {

  private static final String NOTEBOOK = "notebooks/tables_in_python.ipynb";

  @TempDir private Path output;

  @Test
  void itRunsFromStartToEnd() throws Exception {
    TestNotebooks.writeRuns(output);
    String said = TestNotebooks.executed(output, NOTEBOOK);
    assumeFalse(said.contains("left out"), "skipped: " + said.strip());
    assertThat(said).contains(NOTEBOOK + ": 5 cells\n");
  }
}
