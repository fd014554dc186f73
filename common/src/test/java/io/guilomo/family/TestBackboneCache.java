package io.guilomo.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.network.Backbone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestBackboneCache {

  private static final Configuration CONF = new Configuration();

  @TempDir Path dir;

  @AfterEach
  void clear() {
    BackboneCache.clear();
  }

  @Test
  void concurrentCallersGetOneCopy() throws Exception {
    String uri = GoldenFiles.models().resolve("stories260K-hf").toString();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Backbone> call = () -> BackboneCache.get(uri, CONF);
      Set<Backbone> copies = Collections.newSetFromMap(new IdentityHashMap<>());
      for (Future<Backbone> future : threads.invokeAll(List.of(call, call, call, call))) {
        copies.add(future.get());
      }
      assertThat(copies).hasSize(1);
    } finally {
      threads.shutdownNow();
    }
    Backbone first = BackboneCache.get(uri, CONF);
    BackboneCache.clear();
    assertThat(BackboneCache.get(uri, CONF)).isNotSameAs(first);
  }

  @Test
  void failureIsNotKept() throws IOException {
    assertThatThrownBy(() -> BackboneCache.get(dir.toString(), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot load " + dir);
    Path model = GoldenFiles.models().resolve("stories260K-hf");
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(model.resolve(name), dir.resolve(name));
    }
    assertThat(BackboneCache.get(dir.toString(), CONF).config().hidden()).isEqualTo(64);
  }
}
