package io.guilomo.spark.training;

import io.guilomo.data.Seeds;
import io.guilomo.search.SearchSettings;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What travels to the workers beside parameters and data.
 *
 * @param threads each worker may compute with
 * @param hadoop how executors reach the backbone
 */
public record WorkerSettings(SearchSettings search, int threads, SerializableConfiguration hadoop)
    implements Serializable {

  /** The settings of one worker: its dropout masks are its own. */
  SearchSettings of(int worker) {
    return new SearchSettings(
        search.inner(),
        search.innerRate(),
        search.outer(),
        search.outerRate(),
        search.outerGradient(),
        search.freezeRouting(),
        search.clipNorm(),
        Seeds.mix(search.seed(), worker));
  }
}
