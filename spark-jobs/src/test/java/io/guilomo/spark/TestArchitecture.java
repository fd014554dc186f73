package io.guilomo.spark;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.guilomo.HostAccess;
import org.junit.jupiter.api.Test;

class TestArchitecture {

  @Test
  void onlyKernelsReachTheValuesOfArrays() {
    HostAccess.RULE.check(
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.guilomo.spark"));
  }
}
