package io.guilomo;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.ModelFamily;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which package of the engine may know which. */
class TestArchitecture {

  /** A package knows only those before it. */
  private static final List<String> PACKAGES =
      List.of(
          "model",
          "config",
          "template",
          "data",
          "kernel",
          "io",
          "network",
          "family",
          "training",
          "search",
          "sizing",
          "plan",
          "uncertainty",
          "adapter",
          "metric",
          "inference");

  /** Packages of families and those of other families that they build on. */
  private static final Map<String, Set<String>> FAMILIES =
      Map.of(
          "llama", Set.of(),
          "mistral", Set.of("llama"),
          "bert", Set.of(),
          "roberta", Set.of("bert"),
          "distilbert", Set.of("bert"),
          "modernbert", Set.of(),
          "qwen", Set.of("llama"),
          "gemma", Set.of("llama"),
          "phi", Set.of("llama"));

  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.guilomo");

  @Test
  void everyPackageHasItsPlace() {
    assumeThat(location(getClass()))
        .as("tests are compiled into a directory of their own")
        .isNotEqualTo(location(GuilomoConfig.class));
    assertThat(classes).isNotEmpty();
    assertThat(classes.stream().map(type -> type.getPackageName().split("\\.")[2]))
        .isSubsetOf(PACKAGES);
  }

  @Test
  void packagesKnowOnlyThoseBeforeThem() {
    for (int i = 0; i < PACKAGES.size() - 1; i++) {
      String[] later =
          PACKAGES.subList(i + 1, PACKAGES.size()).stream()
              .map(name -> "io.guilomo." + name + "..")
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage("io.guilomo." + PACKAGES.get(i) + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(later)
          .allowEmptyShould(true)
          .check(classes);
    }
  }

  @Test
  void everyFamilyIsRegisteredAndListedHere() {
    List<Class<?>> registered =
        ServiceLoader.load(ModelFamily.class).stream()
            .<Class<?>>map(ServiceLoader.Provider::type)
            .toList();
    assertThat(registered.stream().map(Class::getPackageName).distinct())
        .containsExactlyInAnyOrderElementsOf(
            FAMILIES.keySet().stream().map(TestArchitecture::family).toList());
    assertThat(classes.stream().map(JavaClass::getPackageName))
        .filteredOn(name -> name.startsWith(family("")))
        .isSubsetOf(FAMILIES.keySet().stream().map(TestArchitecture::family).toList());
  }

  /** Whoever else needs a model goes through ModelFamily and BackboneConfig. */
  @Test
  void aFamilyIsKnownOnlyByThoseThatBuildOnIt() {
    FAMILIES
        .keySet()
        .forEach(
            name -> {
              List<String> knowing = new ArrayList<>(List.of(family(name)));
              FAMILIES.forEach(
                  (other, base) -> {
                    if (base.contains(name)) {
                      knowing.add(family(other));
                    }
                  });
              noClasses()
                  .that()
                  .resideOutsideOfPackages(knowing.toArray(String[]::new))
                  .should()
                  .dependOnClassesThat()
                  .resideInAPackage(family(name))
                  .check(classes);
            });
  }

  private static String family(String name) {
    return "io.guilomo.family." + name;
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.guilomo.(*)..").should().beFreeOfCycles().check(classes);
  }

  @Test
  void backendsKnowTheContractAloneAndNobodyKnowsThem() {
    slices().matching("io.guilomo.kernel.(*)..").should().notDependOnEachOther().check(classes);
    noClasses()
        .that()
        .resideOutsideOfPackage("io.guilomo.kernel.*..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.guilomo.kernel.*..")
        .because("ServiceLoader finds backends, and KernelSelection chooses one")
        .check(classes);
  }

  @Test
  void theEngineKnowsNeitherSparkNorDl4j() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.spark..", "org.deeplearning4j..", "scala..")
        .check(classes);
  }

  @Test
  void onlyTheConfigurationKnowsItsFormat() {
    noClasses()
        .that(not(resideInAnyPackage("io.guilomo.config..")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.typesafe.config..")
        .allowEmptyShould(true)
        .check(classes);
  }

  @Test
  void onlyKernelsReachTheValuesOfArrays() {
    HostAccess.RULE.check(classes);
  }

  private static URL location(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation();
  }
}
