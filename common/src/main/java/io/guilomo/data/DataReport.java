package io.guilomo.data;

import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What became of the records of a data set. Merging is associative and commutative.
 *
 * @param read number of records; those of a training are {@code train + validation + dropped +
 *     repeated + bad}
 * @param train training examples
 * @param validation validation examples, or records scored by an evaluation
 * @param truncated examples and dropped records that were truncated to the maximum length
 * @param dropped records whose prompt left no room for a response
 * @param repeated training records that were left out because they are validation records, too
 * @param bad records that could not be read
 * @param samples the first bad records
 * @param tokens total number of tokens of all examples
 * @param longest number of tokens of the longest example
 */
public record DataReport(
    long read,
    long train,
    long validation,
    long truncated,
    long dropped,
    long repeated,
    long bad,
    List<BadRecord> samples,
    long tokens,
    int longest)
    implements Serializable {

  public static final DataReport EMPTY = new DataReport(0, 0, 0, 0, 0, 0, 0, List.of(), 0, 0);

  private static final int SAMPLES = 5;
  private static final int SAMPLE_CHARACTERS = 200;

  /**
   * @param source the file or directory
   * @param position line or row in the source, from 1
   * @param text what was read, on one line of at most 200 characters
   */
  public record BadRecord(String source, long position, String reason, String text)
      implements Serializable {
    public BadRecord {
      text = text.length() > SAMPLE_CHARACTERS ? text.substring(0, SAMPLE_CHARACTERS) : text;
      text = text.replaceAll("\\R", " ");
    }

    @Override
    public String toString() {
      return String.format("%s:%d: %s: %s", source, position, reason, text);
    }
  }

  public static DataReport ofBad(BadRecord record) {
    return new DataReport(1, 0, 0, 0, 0, 0, 1, List.of(record), 0, 0);
  }

  /** The report of a record that can be read, without saying what becomes of it. */
  public static DataReport ofReadable() {
    return new DataReport(1, 0, 0, 0, 0, 0, 0, List.of(), 0, 0);
  }

  /** The report of a record that an evaluation scored. */
  public static DataReport ofScored() {
    return new DataReport(1, 0, 1, 0, 0, 0, 0, List.of(), 0, 0);
  }

  /** The report of a training record that also occurs among the validation records. */
  public static DataReport ofRepeated() {
    return new DataReport(1, 0, 0, 0, 0, 1, 0, List.of(), 0, 0);
  }

  public static DataReport of(RecordEncoder.Outcome outcome, boolean heldOut) {
    int length = outcome.example().map(Example::length).orElse(0);
    boolean kept = outcome.example().isPresent();
    return new DataReport(
        1,
        kept && !heldOut ? 1 : 0,
        kept && heldOut ? 1 : 0,
        outcome.truncated() ? 1 : 0,
        kept ? 0 : 1,
        0,
        0,
        List.of(),
        length,
        length);
  }

  public DataReport merge(DataReport other) {
    List<BadRecord> first =
        samples.isEmpty() && other.samples.isEmpty()
            ? List.of()
            : Stream.concat(samples.stream(), other.samples.stream())
                .sorted(
                    Comparator.comparing(BadRecord::source)
                        .thenComparingLong(BadRecord::position)
                        .thenComparing(BadRecord::text))
                .limit(SAMPLES)
                .toList();
    return new DataReport(
        read + other.read,
        train + other.train,
        validation + other.validation,
        truncated + other.truncated,
        dropped + other.dropped,
        repeated + other.repeated,
        bad + other.bad,
        first,
        tokens + other.tokens,
        Math.max(longest, other.longest));
  }

  /** The same of records that so many others of their source precede. */
  public DataReport after(long records) {
    return new DataReport(
        read,
        train,
        validation,
        truncated,
        dropped,
        repeated,
        bad,
        samples.stream()
            .map(
                one ->
                    new BadRecord(one.source(), records + one.position(), one.reason(), one.text()))
            .toList(),
        tokens,
        longest);
  }

  /** Mean number of tokens per example; 0 without examples. */
  public double meanLength() {
    return train + validation == 0 ? 0 : (double) tokens / (train + validation);
  }

  /**
   * Checks that there are records and not too many bad ones.
   *
   * @param source path to name in the message
   * @param maxBadFraction fraction of the records that may be bad
   * @throws UserException if not
   */
  public void check(String source, double maxBadFraction) {
    if (read == 0) {
      throw new UserException("Cannot read %s: it contains no records", source);
    }
    // In floating point, 0.29 · 100 is slightly less than 29.
    long limit = (long) Math.floor(read * maxBadFraction + 1e-9);
    if (bad > limit) {
      throw new UserException(
          "Cannot read %s: %d of %d records are bad (limit %d): first: %s",
          source, bad, read, limit, samples.get(0));
    }
  }
}
