package io.guilomo.family;

import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.io.FloatSink;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.TensorSource;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/** The tensors in the files of a directory, and which of them have been read. */
final class FrozenFiles implements FrozenTensors.Source {

  private final ModelDirectory directory;
  private final TensorSource source;
  private final StoredNames names;
  private final Map<String, String> read = new LinkedHashMap<>();

  /**
   * @param base transformers' {@code base_model_prefix} of the family
   */
  FrozenFiles(ModelDirectory directory, TensorSource source, String base) {
    this.directory = directory;
    this.source = source;
    this.names = new StoredNames(source.names(), base);
  }

  @Override
  public void check(Piece piece) throws IOException {
    String stored = stored(piece);
    long[] found = source.shape(stored);
    if (!Arrays.equals(found, piece.shape())) {
      throw directory.refuse(
          "tensor %s has shape %s, expected %s"
              .formatted(stored, Arrays.toString(found), Arrays.toString(piece.shape())));
    }
    read.put(piece.name(), stored);
  }

  @Override
  public void read(Piece piece, FloatSink target, MessageDigest digest) throws IOException {
    source.read(stored(piece), target, digest);
  }

  @Override
  public void digest(Piece piece, MessageDigest digest) throws IOException {
    source.digest(stored(piece), digest);
  }

  @Override
  public boolean half(Piece piece) throws IOException {
    return source.half(stored(piece));
  }

  private String stored(Piece piece) {
    return names
        .find(piece.name())
        .orElseThrow(
            () -> directory.refuse("tensor %s is missing".formatted(names.expected(piece.name()))));
  }

  /** What the files call the tensors that were asked for, by the names of their pieces. */
  Map<String, String> read() {
    return Collections.unmodifiableMap(read);
  }

  /**
   * The tensors that were not read, all of them outside the blocks that were.
   *
   * @throws io.guilomo.model.UserException if a block has a tensor that was not read
   */
  UnreadTensors unread() {
    TreeSet<String> stored = new TreeSet<>(read.values());
    UnreadTensors unread = UnreadTensors.of(source.others(stored), stored);
    unread
        .insideBlocks()
        .ifPresent(
            text -> {
              throw directory.refuse(text);
            });
    return unread;
  }
}
