package io.guilomo.spark.data;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;

/** Fields of a record in JSON that the directories of its file give, such as {@code label=1}. */
final class DirectoryFields {

  private DirectoryFields() {}

  /** The record with the fields, in the place of its own of these names, as in Parquet. */
  static RawRecord with(RawRecord record, Map<String, String> partition) {
    if (partition.isEmpty() || record.reason() != null || record.isNothing()) {
      return record;
    }
    StringWriter text = new StringWriter();
    try (JsonParser parser = JsonDocuments.JSON.createParser(record.text());
        JsonGenerator generator = JsonDocuments.JSON.createGenerator(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return record;
      }
      generator.writeStartObject();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        if (partition.containsKey(parser.currentName())) {
          parser.nextToken();
          parser.skipChildren();
        } else {
          generator.copyCurrentStructure(parser);
        }
      }
      for (Map.Entry<String, String> field : partition.entrySet()) {
        generator.writeStringField(field.getKey(), field.getValue());
      }
      generator.writeEndObject();
      if (parser.nextToken() != null) {
        return record;
      }
    } catch (JsonProcessingException e) {
      // The record's parser says what is wrong with it.
      return record;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return RawRecord.of(text.toString());
  }
}
