package io.guilomo.spark.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Turns bytes into text, or says that they are not valid in the configured encoding; Java and Spark
 * would put U+FFFD in their place.
 *
 * @param name of the encoding
 */
record TextDecoding(String name) implements Serializable {

  private static final String BYTE_ORDER_MARK = "\uFEFF";
  private static final byte[] MARK = BYTE_ORDER_MARK.getBytes(StandardCharsets.UTF_8);
  private static final String REPLACEMENT = "\uFFFD";

  /** All bytes are characters of this encoding, which has all ASCII characters at their places. */
  private static final Charset BYTES = StandardCharsets.ISO_8859_1;

  static TextDecoding of(Charset charset) {
    return new TextDecoding(charset.name());
  }

  private Charset charset() {
    return Charset.forName(name);
  }

  /** Whether line ends, quotes and separators are the same single bytes as in ASCII. */
  boolean extendsAscii() {
    String ascii = "\n\r\t\",{}";
    return Arrays.equals(ascii.getBytes(charset()), ascii.getBytes(StandardCharsets.US_ASCII));
  }

  /** The text of a line's bytes. */
  RawRecord line(byte[] bytes) {
    String text = new String(bytes, charset());
    if (text.contains(REPLACEMENT) && !isValid(bytes)) {
      return new RawRecord(text, invalid());
    }
    return RawRecord.of(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text);
  }

  private boolean isValid(byte[] bytes) {
    try {
      charset()
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** Why something could not be decoded. */
  String invalid() {
    return "its bytes are not "
        + name
        + ": set data.encoding to the file's encoding, such as windows-1252";
  }

  /**
   * Reads a stream whose structure is found before its parts are decoded, where that is possible:
   * by {@link #part}. A reader for another encoding fails at bytes that are not valid.
   */
  BufferedReader reader(InputStream in) throws IOException {
    if (!extendsAscii()) {
      return strict(in);
    }
    PushbackInputStream start = new PushbackInputStream(in, MARK.length);
    byte[] first = start.readNBytes(MARK.length);
    if (!Arrays.equals(first, MARK) || !charset().equals(StandardCharsets.UTF_8)) {
      start.unread(first);
    }
    return new BufferedReader(new InputStreamReader(start, BYTES), 1 << 16);
  }

  /** A reader that fails at bytes that are not valid. */
  BufferedReader strict(InputStream in) throws IOException {
    BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                in,
                charset()
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)));
    reader.mark(1);
    if (reader.read() != BYTE_ORDER_MARK.charAt(0)) {
      reader.reset();
    }
    return reader;
  }

  /** What a part of the text of {@link #reader} says. */
  RawRecord part(String read) {
    if (!extendsAscii()) {
      return RawRecord.of(read);
    }
    return line(read.getBytes(BYTES));
  }
}
