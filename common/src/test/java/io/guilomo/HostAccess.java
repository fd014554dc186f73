package io.guilomo;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Who may read and write the values of arrays on the host, which cannot where a GPU has them. */
public final class HostAccess {

  /** What tells of an array's type and place alone, and views of it. */
  private static final Set<String> HARMLESS =
      Set.of(
          "columns",
          "dataType",
          "isEmpty",
          "length",
          "offset",
          "rank",
          "reshape",
          "rows",
          "shape",
          "size",
          "stride");

  /** Classes whose arrays are always the host's, and why. */
  private static final Map<String, String> HANDLE_HOST_ARRAYS =
      Map.of(
          "io.guilomo.adapter.Adapter", "has copies of the parameters on the host",
          "io.guilomo.adapter.AdapterTensors", "has views of parameters on the host",
          "io.guilomo.adapter.MergedClassifier", "writes the tensors of an adapter",
          "io.guilomo.adapter.MergedWeight", "writes the tensors of an adapter",
          "io.guilomo.adapter.PeftFormat", "writes the tensors of an adapter",
          "io.guilomo.data.TokenBatch", "travels as the features of a data set",
          "io.guilomo.spark.checkpoint.CheckpointDirectory", "compares what it has written");

  /** Of all packages of the engine and the jobs. */
  public static final ArchRule RULE =
      noClasses()
          .that(not(resideInAnyPackage("io.guilomo.kernel..", "io.guilomo.io..")))
          .and(not(handlesHostArrays()))
          .should()
          .callMethodWhere(valuesOfAnArray())
          .because(
              "arrays may lie in memory that the host cannot read: io.guilomo.kernel.Kernels reads"
                  + " and writes them");

  private HostAccess() {}

  private static DescribedPredicate<JavaClass> handlesHostArrays() {
    return describe(
        "handle arrays of the host alone",
        type -> HANDLE_HOST_ARRAYS.containsKey(type.getFullName().split("\\$")[0]));
  }

  private static DescribedPredicate<JavaCall<?>> valuesOfAnArray() {
    return describe(
        "the host reads or writes values of an array",
        call ->
            call.getTargetOwner().isAssignableTo(INDArray.class)
                && !HARMLESS.contains(call.getName()));
  }
}
