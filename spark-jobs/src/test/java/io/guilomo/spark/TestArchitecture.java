package io.guilomo.spark;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.guilomo.HostAccess;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which package of the jobs may know which. */
class TestArchitecture {

  /** A package knows only those before it. */
  private static final List<String> PACKAGES =
      List.of(
          "session",
          "progress",
          "data",
          "table",
          "catalog",
          "tracking",
          "report",
          "input",
          "worker",
          "checkpoint",
          "run",
          "round",
          "preflight",
          "search",
          "finetune",
          "evaluate",
          "ml",
          "compare",
          "bench",
          "cli");

  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.guilomo.spark");

  @Test
  void everyPackageHasItsPlace() {
    assertThat(classes).isNotEmpty();
    assertThat(classes.stream().map(type -> type.getPackageName().split("\\.")[3]))
        .isSubsetOf(PACKAGES);
  }

  @Test
  void packagesKnowOnlyThoseBeforeThem() {
    for (int i = 0; i < PACKAGES.size() - 1; i++) {
      String[] later =
          PACKAGES.subList(i + 1, PACKAGES.size()).stream()
              .map(name -> "io.guilomo.spark." + name + "..")
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage("io.guilomo.spark." + PACKAGES.get(i) + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(later)
          .check(classes);
    }
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.guilomo.spark.(*)..").should().beFreeOfCycles().check(classes);
  }

  /** What one job does is not known to another; a comparison runs them all. */
  @Test
  void jobsDoNotKnowEachOther() {
    List<String> jobs = List.of("search", "finetune", "evaluate");
    for (String job : jobs) {
      noClasses()
          .that()
          .resideInAPackage("io.guilomo.spark." + job + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              jobs.stream()
                  .filter(other -> !other.equals(job))
                  .map(other -> "io.guilomo.spark." + other + "..")
                  .toArray(String[]::new))
          .check(classes);
    }
  }

  @Test
  void onlyRoundsKnowDl4j() {
    noClasses()
        .that(not(resideInAnyPackage("io.guilomo.spark.round..")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.deeplearning4j..")
        .check(classes);
  }

  @Test
  void onlyKernelsReachTheValuesOfArrays() {
    HostAccess.RULE.check(classes);
  }

  @Test
  void jobsKnowNoFamily() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.guilomo.family.*..")
        .check(classes);
  }
}
