package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.TinyModels;
import io.guilomo.uncertainty.HeadCurvature;
import io.guilomo.uncertainty.HeadLaplace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestUncertaintyFile {

  private static final Configuration CONF = new Configuration();

  @TempDir private Path directory;
  private UncertaintyFile file;
  private Adapter adapter;
  private int hidden;

  @BeforeEach
  void describeAnEncoder() {
    file = new UncertaintyFile(new org.apache.hadoop.fs.Path(directory.toUri()), CONF);
    Backbone backbone = TinyModels.bert(1);
    hidden = backbone.config().hidden();
    AdapterDescription description =
        Adapters.description(backbone, Adapters.plan(backbone, List.of(List.of(2, 1))));
    try (LoraMoeNetwork network = tuned(backbone, description)) {
      TinyModels.shake(network, 7, 0.5);
      adapter =
          Adapter.of(
              description, NamedParameters.of(network.definition(), network.host().parameters()));
    }
  }

  private static LoraMoeNetwork tuned(Backbone backbone, AdapterDescription description) {
    return LoraMoeNetwork.create(
        new Adapter(description, Map.of()).definition(backbone.config(), "tiny"),
        backbone,
        KernelsUnderTest.any());
  }

  @Test
  void anApproximationIsReadAsItWasWritten() throws IOException {
    HeadLaplace laplace = laplace(3);
    file.write(laplace, "abc");
    assertThat(file.isOf("abc")).isTrue();
    assertThat(file.isOf("def")).isFalse();
    HeadLaplace read = file.laplace(adapter.description(), hidden);
    assertThat(read.logEvidence()).isCloseTo(laplace.logEvidence(), within(1e-3));
    float[] z = new float[hidden];
    Arrays.fill(z, 0.5f);
    double[] logits = {1, 0, -1};
    assertThat(read.logits(logits, z).probit())
        .containsExactly(laplace.logits(logits, z).probit(), within(1e-5));
    assertThat(directory.resolve("_" + UncertaintyFile.NAME)).doesNotExist();
  }

  @Test
  void aTemperatureIsReadAsItWasWritten() throws IOException {
    assertThat(file.isOf("abc")).isFalse();
    file.write(1.75, "abc");
    assertThat(file.temperature()).isEqualTo(1.75);
    assertThat(Files.readString(path(), StandardCharsets.ISO_8859_1))
        .contains("{\"__metadata__\":{\"adapter\":\"abc\",\"format\":\"2\"},\"temperature\":{");
    refused("it has no tensor input-vectors", () -> file.laplace(adapter.description(), hidden));
  }

  @Test
  void aFileOfAnEarlierFormatIsMadeAnew() throws IOException {
    file.write(1.75, "abc");
    String whole = Files.readString(path(), StandardCharsets.ISO_8859_1);
    Files.delete(directory.resolve("." + UncertaintyFile.NAME + ".crc"));
    Files.writeString(
        path(), whole.replace("\"format\":\"2\"", "\"format\":\"1\""), StandardCharsets.ISO_8859_1);
    assertThat(file.isOf("abc")).isFalse();
  }

  @Test
  void theRankIsWhatAHundredthOfTheAdapterHasRoomFor() {
    assertThat(UncertaintyFile.rank(adapter, hidden + 1)).isEqualTo(1);
    long numbers = adapter.bytes() / 4;
    assertThat(numbers).isLessThan(100_000);
    assertThat(adapter.headSquaredNorm()).isPositive();
  }

  @Test
  void aDamagedFileIsRefused() throws IOException {
    file.write(laplace(2), "abc");
    byte[] whole = Files.readAllBytes(path());
    assertThatThrownBy(() -> file.laplace(adapter.description(), hidden + 1))
        .hasMessage(
            "Cannot read %s: tensor input-vectors has shape [2, %d], expected [2, %d]; delete the file, the next evaluation makes it anew",
            hadoopPath(), hidden + 1, hidden + 2);
    byte[] changed = whole.clone();
    changed[whole.length - 1] ^= 1;
    Files.write(path(), changed);
    assertThatThrownBy(() -> file.laplace(adapter.description(), hidden))
        .hasMessageStartingWith("Cannot read " + hadoopPath() + ": Checksum error");
    Files.delete(directory.resolve("." + UncertaintyFile.NAME + ".crc"));
    Files.write(path(), Arrays.copyOf(whole, whole.length - 4));
    assertThatThrownBy(() -> file.isOf("abc"))
        .hasMessageStartingWith("Cannot read " + hadoopPath() + ": ");
    byte[] claiming = whole.clone();
    ByteBuffer.wrap(claiming).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 40);
    Files.write(path(), claiming);
    assertThatThrownBy(() -> file.laplace(adapter.description(), hidden))
        .hasMessageContaining("its header claims");
    byte[] infinite = whole.clone();
    ByteBuffer.wrap(infinite)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat(whole.length - 8, Float.POSITIVE_INFINITY);
    Files.write(path(), infinite);
    refused("tensor fit has the value Infinity", () -> file.laplace(adapter.description(), hidden));
    ByteBuffer.wrap(infinite).order(ByteOrder.LITTLE_ENDIAN).putFloat(whole.length - 8, -1);
    Files.write(path(), infinite);
    refused("tensor fit has the value -1.0", () -> file.laplace(adapter.description(), hidden));
  }

  private void refused(String why, ThrowingCallable read) {
    assertThatThrownBy(read)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read %s: %s; delete the file, the next evaluation makes it anew",
            hadoopPath(), why);
  }

  private Path path() {
    return directory.resolve(UncertaintyFile.NAME);
  }

  private org.apache.hadoop.fs.Path hadoopPath() {
    return new org.apache.hadoop.fs.Path(
        new org.apache.hadoop.fs.Path(directory.toUri()), UncertaintyFile.NAME);
  }

  private HeadLaplace laplace(int rank) {
    Random random = new Random(5);
    HeadCurvature curvature = new HeadCurvature(hidden, true, 3);
    for (int n = 0; n < 20; n++) {
      float[] z = new float[hidden];
      for (int d = 0; d < hidden; d++) {
        z[d] = (float) random.nextGaussian();
      }
      curvature.add(z, new double[] {0.2, 0.3, 0.5}, n % 3);
    }
    return HeadLaplace.fit(curvature, 4, rank);
  }
}
