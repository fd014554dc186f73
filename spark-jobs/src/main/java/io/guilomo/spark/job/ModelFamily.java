package io.guilomo.spark.job;

import io.guilomo.backbone.BackboneConfig;
import io.guilomo.config.GuilomoConfig;

final class ModelFamily {
  private ModelFamily() {}

  static void check(GuilomoConfig config, BackboneConfig backbone) {}
}
