package io.guilomo.network;

import static io.guilomo.network.DifferenceSetting.RECORD;
import static io.guilomo.network.DifferenceSetting.REPLAY;
import static io.guilomo.network.DifferenceSetting.STEP;
import static io.guilomo.network.DifferenceSetting.assertClose;
import static io.guilomo.network.DifferenceSetting.directions;
import static io.guilomo.network.DifferenceSetting.shake;
import static io.guilomo.network.DifferenceSetting.signs;
import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.moe.Selection;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Gradients of the masks that a selection makes, in whole networks. */
class TestMaskDifferences {

  static Stream<Arguments> settings() {
    return DifferenceSetting.maskedSettings();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void masks(DifferenceSetting setting, String kernels) {
    try (LoraMoeNetwork network =
        TinyModels.network(
            setting.definition(), setting.backbone(), KernelsUnderTest.named(kernels))) {
      shake(network);
      Assembly assembly = new Assembly(setting, network, KernelsUnderTest.named(kernels));
      assertThat(assembly.loss(RECORD, null, 0))
          .isEqualTo(network.pass(setting.batch(), RECORD).loss());

      List<INDArray> gradients = assembly.maskGradients();
      for (int kind = 0; kind < 2; kind++) {
        double squaredError = 0;
        double squared = 0;
        Random random = new Random(7);
        for (int i = 0; i < directions(kernels); i++) {
          List<INDArray> direction = new ArrayList<>();
          double expected = 0;
          for (int j = 0; j < gradients.size(); j++) {
            INDArray signs = signs(random, gradients.get(j));
            direction.add(j % 2 == kind ? signs : signs.muli(0));
            expected += direction.get(j).mul(gradients.get(j)).sumNumber().doubleValue();
          }
          double actual =
              (assembly.loss(REPLAY, direction, STEP) - assembly.loss(REPLAY, direction, -STEP))
                  / (2 * STEP);
          squaredError += (actual - expected) * (actual - expected);
          squared += expected * expected;
        }
        assertClose(kind == 0 ? "expert masks" : "rank masks", squaredError, squared);
      }
    }
  }

  /**
   * The parts of a network without its graph, so that masks can be moved between the selection and
   * the blocks.
   */
  private static final class Assembly {

    private final Kernels kernels;
    private final PassContext context;
    private final TokenBatch batch;
    private final Selection selection;
    private final List<Part> parts = new ArrayList<>();
    private final Head head;
    private final List<Selection.Masks> masks;
    private final double loadBalance;

    Assembly(DifferenceSetting setting, LoraMoeNetwork network, Kernels kernels) {
      NetworkDefinition definition = setting.definition();
      batch = setting.batch();
      loadBalance = setting.loadBalance();
      this.kernels = kernels;
      context =
          new PassContext(
              FrozenCopies.of(setting.backbone(), kernels),
              kernels,
              new Buffers(kernels),
              Recompute.NONE);
      PartSpec.all(definition).forEach(spec -> parts.add(spec.build()));
      INDArray gradient = KernelArrays.zeros(kernels, network.host().size());
      network.download();
      INDArray parameters = KernelArrays.array(kernels, network.host().parameters().ravel());
      long offset = 0;
      for (Part part : parts) {
        long size = part.parameters().size();
        if (size > 0) {
          part.attach(context, ArrayViews.slice(parameters, offset, size));
          part.attachGradient(ArrayViews.slice(gradient, offset, size));
        } else {
          part.attach(context, null);
        }
        offset += size;
      }
      selection = (Selection) parts.get(0);
      head = (Head) parts.get(parts.size() - 1);
      masks =
          definition.modules().stream().map(module -> selection.masks(module.module())).toList();
    }

    /**
     * The loss with the masks moved along {@code direction}: experts and ranks of each module in
     * turn.
     */
    double loss(PassOptions options, List<INDArray> direction, float step) {
      head.measure(states(options.with(Gradient.NONE), direction, step));
      context.measurements().read();
      BatchLoss loss = new BatchLoss(batch.size(), loadBalance, null);
      Measurements.evaluate(List.of(context.measurements()), loss);
      return head.loss() + loadBalance * loss.value();
    }

    List<INDArray> maskGradients() {
      INDArray d = head.backward(states(REPLAY, null, 0));
      context.measurements().read();
      BatchLoss loss = new BatchLoss(batch.size(), loadBalance, null);
      context.measurements().write(Measurements.evaluate(List.of(context.measurements()), loss));
      for (int i = parts.size() - 2; i > 0; i--) {
        d = parts.get(i).backward(d);
      }
      List<INDArray> gradients = new ArrayList<>();
      for (Selection.Masks mask : masks) {
        gradients.add(KernelArrays.host(kernels, mask.expertsGradient()));
        gradients.add(KernelArrays.host(kernels, mask.ranksGradient()));
      }
      return gradients;
    }

    private void move(INDArray mask, INDArray by) {
      KernelArrays.set(kernels, mask, KernelArrays.host(kernels, mask).add(by));
    }

    private INDArray states(PassOptions options, List<INDArray> direction, float step) {
      context.begin(batch, options);
      INDArray x = selection.forward(null);
      for (int i = 0; direction != null && i < masks.size(); i++) {
        move(masks.get(i).experts(), direction.get(2 * i).mul(step));
        move(masks.get(i).ranks(), direction.get(2 * i + 1).mul(step));
      }
      for (Part part : parts.subList(1, parts.size() - 1)) {
        x = part.forward(x);
      }
      return x;
    }
  }
}
