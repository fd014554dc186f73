package io.guilomo.spark.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;

/** What files hold, one after another, of which only one is open at a time. */
final class OpenedFiles extends RecordIterator {

  private final Iterator<DataFile> files;
  private final TextFiles.Content content;
  private final Configuration conf;
  private InputStream opened = InputStream.nullInputStream();
  private Iterator<RawRecord> records = Collections.emptyIterator();

  OpenedFiles(Iterator<DataFile> files, TextFiles.Content content, Configuration conf) {
    this.files = files;
    this.content = content;
    this.conf = conf;
  }

  @Override
  RawRecord read() {
    try {
      while (!records.hasNext()) {
        close();
        if (!files.hasNext()) {
          return null;
        }
        DataFile file = files.next();
        opened = file.open(conf);
        records = content.of(file, opened);
      }
      return records.next();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void close() {
    try {
      opened.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
