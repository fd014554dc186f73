package io.guilomo.spark.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.ContentDigest;
import io.guilomo.io.StrictObject;
import io.guilomo.model.UserException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * {@code manifest.json} of a checkpoint: which files it consists of. It is written last, and has a
 * digest of itself.
 *
 * @param network digest of the network's definition
 * @param files in the order of their names
 */
record CheckpointManifest(long round, long step, String network, List<Entry> files) {

  static final int FORMAT_VERSION = 1;

  private static final int MAX_FILES = 16;

  /**
   * @param sha256 hexadecimal
   */
  record Entry(String name, long bytes, String sha256) {}

  String toJson() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = mapper.createObjectNode();
    json.put("format-version", FORMAT_VERSION).put("round", round).put("step", step);
    json.put("network", network);
    ArrayNode entries = json.putArray("files");
    for (Entry file : files) {
      entries
          .addObject()
          .put("name", file.name())
          .put("bytes", file.bytes())
          .put("sha256", file.sha256());
    }
    try {
      ObjectWriter writer = mapper.writerWithDefaultPrettyPrinter();
      json.put("sha256", ContentDigest.sha256(writer.writeValueAsBytes(json)));
      return writer.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @param what names the file in messages
   * @throws UserException if it is not byte for byte what {@link #toJson} wrote
   */
  static CheckpointManifest fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    int version = json.integer("format-version", 1, Integer.MAX_VALUE);
    if (version != FORMAT_VERSION) {
      throw json.refused("format-version is " + version + ", this release reads " + FORMAT_VERSION);
    }
    CheckpointManifest manifest =
        new CheckpointManifest(
            json.integer("round", 0, Long.MAX_VALUE),
            json.integer("step", 0, Long.MAX_VALUE),
            json.text("network"),
            json.objects("files", MAX_FILES).stream().map(CheckpointManifest::entry).toList());
    json.text("sha256", 64);
    json.end();
    if (!text.equals(manifest.toJson())) {
      throw json.refused("it is not as it was written");
    }
    return manifest;
  }

  private static Entry entry(StrictObject json) {
    Entry entry =
        new Entry(
            json.text("name"), json.integer("bytes", 0, Long.MAX_VALUE), json.text("sha256", 64));
    json.end();
    return entry;
  }
}
