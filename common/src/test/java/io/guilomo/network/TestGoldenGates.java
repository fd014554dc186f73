package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
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
    float[] mask = new float[gsv.length];
    float[] gradient = new float[gsv.length];
    if (name.startsWith("expert")) {
      StraightThrough.expertMask(gsv, 0, gsv.length, mask);
      StraightThrough.expertGradient(gsv, 0, gsv.length, maskGradient, gradient);
    } else {
      StraightThrough.rankMask(gsv, 0, gsv.length, mask);
      StraightThrough.rankGradient(gsv, 0, gsv.length, maskGradient, gradient);
    }
    double maskError =
        GoldenFiles.assertClose(
            name + ".mask", Nd4j.createFromArray(mask), tensors.get(name + ".mask"), 0);
    double gradientError =
        GoldenFiles.assertClose(
            name + ".grad_v", Nd4j.createFromArray(gradient), tensors.get(name + ".grad_v"), 3e-6);
    return Math.max(maskError, gradientError);
  }
}
