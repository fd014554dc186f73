package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.StraightThrough;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TestGoldenGates {

  @Test
  void straightThroughFunctions() {
    for (Path file : GoldenFiles.list("layer", "gate_functions*.safetensors")) {
      Map<String, INDArray> tensors = GoldenFiles.tensors(file);
      double largest = 0;
      int cases = 0;
      for (String name : tensors.keySet()) {
        if (name.endsWith(".v")) {
          largest = Math.max(largest, check(tensors, name.substring(0, name.length() - 2)));
          cases++;
        }
      }
      assertThat(cases).isGreaterThan(20);
      GoldenFiles.report("layer/" + file.getFileName(), largest);
    }
  }

  private static double check(Map<String, INDArray> tensors, String name) {
    float[] gsv = tensors.get(name + ".v").toFloatVector();
    float[] maskGradient = tensors.get(name + ".grad_mask").toFloatVector();
    int[] starts = {0, gsv.length};
    int[] kinds = {name.startsWith("expert") ? StraightThrough.EXPERTS : StraightThrough.RANKS};
    float[] mask = StraightThrough.masks(starts, kinds, gsv);
    float[] gradient = StraightThrough.gradients(starts, kinds, gsv, maskGradient);
    double maskError =
        GoldenFiles.assertClose(
            name + ".mask", Nd4j.createFromArray(mask), tensors.get(name + ".mask"), 0);
    double gradientError =
        GoldenFiles.assertClose(
            name + ".grad_v", Nd4j.createFromArray(gradient), tensors.get(name + ".grad_v"), 3e-6);
    return Math.max(maskError, gradientError);
  }
}
