package io.guilomo.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The validated JSON header of a safetensors file.
 *
 * @param tensors by name, in the order of the header
 * @param metadata arbitrary strings under {@code __metadata__}
 */
record SafetensorsHeader(Map<String, Tensor> tensors, Map<String, String> metadata) {

  /** More dimensions than any array here can have. */
  private static final int MAX_RANK = 32;

  private static final JsonFactory JSON =
      new ObjectMapper()
          .getFactory()
          .rebuild()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build()
          .setCodec(new ObjectMapper());

  /**
   * One tensor.
   *
   * @param begin first byte, relative to the end of the header
   * @param end byte after the last one
   */
  record Tensor(TensorType type, long[] shape, long begin, long end) {
    long elements() {
      return (end - begin) / type.bytes();
    }
  }

  /**
   * Parses a header and checks it against the size of the data that follows.
   *
   * @throws UserException naming {@code file} if the header is not valid
   */
  static SafetensorsHeader parse(byte[] json, long dataLength, Object file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (JsonParser parser = JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw refuse(file, "its header is not a JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        JsonNode value = parser.readValueAsTree();
        if (name.equals("__metadata__")) {
          readMetadata(value, metadata, file);
        } else {
          tensors.put(name, tensor(name, value, dataLength, file));
        }
      }
      if (parser.nextToken() != null) {
        throw refuse(file, "its header does not end with its JSON object");
      }
    } catch (JsonProcessingException e) {
      throw refuse(file, "its header is not JSON (" + e.getOriginalMessage() + ")");
    } catch (IOException e) {
      throw refuse(file, "its header is not JSON (" + e.getMessage() + ")");
    }
    refuseOverlaps(tensors, file);
    return new SafetensorsHeader(
        Collections.unmodifiableMap(tensors), Collections.unmodifiableMap(metadata));
  }

  private static void readMetadata(JsonNode value, Map<String, String> metadata, Object file) {
    if (!value.isObject()) {
      throw refuse(file, "its __metadata__ is not a JSON object");
    }
    value
        .fields()
        .forEachRemaining(
            field -> {
              if (!field.getValue().isTextual()) {
                throw refuse(
                    file,
                    "its __metadata__ contains " + field.getKey() + ", which is not a string");
              }
              metadata.put(field.getKey(), field.getValue().textValue());
            });
  }

  private static Tensor tensor(String name, JsonNode value, long dataLength, Object file) {
    if (!value.isObject()) {
      throw refuse(file, "tensor %s is not described by a JSON object".formatted(name));
    }
    TensorType type = type(name, value.path("dtype"), file);
    long[] shape = longs(name, "shape", value.path("shape"), MAX_RANK, file);
    long[] offsets = longs(name, "data_offsets", value.path("data_offsets"), 2, file);
    if (offsets.length != 2) {
      throw refuse(
          file, "tensor %s has %s data_offsets, expected 2".formatted(name, offsets.length));
    }
    long begin = offsets[0];
    long end = offsets[1];
    if (begin < 0 || begin > end || end > dataLength) {
      throw refuse(
          file,
          "tensor %s is at bytes %s to %s of %s bytes of data"
              .formatted(name, begin, end, dataLength));
    }
    long expected = size(name, type, shape, file);
    if (end - begin != expected) {
      throw refuse(
          file,
          "tensor %s of type %s and shape %s needs %s bytes, its data_offsets span %s"
              .formatted(name, type, Arrays.toString(shape), expected, end - begin));
    }
    return new Tensor(type, shape, begin, end);
  }

  private static TensorType type(String name, JsonNode value, Object file) {
    for (TensorType type : TensorType.values()) {
      if (value.isTextual() && type.name().equals(value.textValue())) {
        return type;
      }
    }
    throw refuse(
        file, "tensor %s has the unknown dtype %s".formatted(name, value.asText("(none)")));
  }

  private static long[] longs(String name, String key, JsonNode value, int most, Object file) {
    if (!value.isArray() || value.size() > most) {
      throw refuse(file, "tensor %s has no %s of at most %s numbers".formatted(name, key, most));
    }
    long[] longs = new long[value.size()];
    for (int i = 0; i < longs.length; i++) {
      JsonNode number = value.get(i);
      if (!number.isIntegralNumber() || !number.canConvertToLong()) {
        throw refuse(
            file,
            "tensor %s has the %s entry %s, not a 64-bit integer".formatted(name, key, number));
      }
      longs[i] = number.longValue();
    }
    return longs;
  }

  private static long size(String name, TensorType type, long[] shape, Object file) {
    boolean empty = false;
    for (long size : shape) {
      if (size < 0) {
        throw refuse(
            file, "tensor %s has the negative shape %s".formatted(name, Arrays.toString(shape)));
      }
      empty |= size == 0;
    }
    if (empty) {
      return 0;
    }
    try {
      long bytes = type.bytes();
      for (long size : shape) {
        bytes = Math.multiplyExact(bytes, size);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw refuse(
          file, "tensor %s has the impossible shape %s".formatted(name, Arrays.toString(shape)));
    }
  }

  private static void refuseOverlaps(Map<String, Tensor> tensors, Object file) {
    List<Map.Entry<String, Tensor>> filled = new ArrayList<>(tensors.entrySet());
    filled.removeIf(entry -> entry.getValue().elements() == 0);
    filled.sort(Comparator.comparingLong(entry -> entry.getValue().begin()));
    for (int i = 1; i < filled.size(); i++) {
      if (filled.get(i).getValue().begin() < filled.get(i - 1).getValue().end()) {
        throw refuse(
            file,
            "tensors %s and %s overlap"
                .formatted(filled.get(i - 1).getKey(), filled.get(i).getKey()));
      }
    }
  }

  static UserException refuse(Object file, String reason) {
    return new UserException("Cannot read %s: %s", file, reason);
  }
}
