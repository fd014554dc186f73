package io.guilomo.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.guilomo.HostAccess;
import org.junit.jupiter.api.Test;

class TestArchitecture {

  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.guilomo.spark");

  @Test
  void jobsKnowNoFamily() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.guilomo.family.*..")
        .check(classes);
  }

  @Test
  void onlyKernelsReachTheValuesOfArrays() {
    HostAccess.RULE.check(classes);
  }
}
