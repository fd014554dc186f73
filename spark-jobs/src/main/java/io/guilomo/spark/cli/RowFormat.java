package io.guilomo.spark.cli;

import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_csv;
import static org.apache.spark.sql.functions.to_json;

import io.guilomo.spark.session.AsNamed;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** How {@code sql} prints rows. */
enum RowFormat {
  /** A framed table. */
  TABLE {
    @Override
    void print(Dataset<Row> rows, PrintStream out) {
      scala.Console.withOut(
          out,
          () -> {
            rows.show(Integer.MAX_VALUE, false);
            return null;
          });
    }
  },
  /** One object per line; missing values are nulls. */
  JSON {
    @Override
    void print(Dataset<Row> rows, PrintStream out) {
      lines(rows, to_json(all(rows), Map.of("ignoreNullFields", "false")), out);
    }
  },
  /** A header line, then one line per row; lists and maps as JSON. */
  CSV {
    @Override
    void print(Dataset<Row> rows, PrintStream out) {
      out.println(
          Arrays.stream(rows.columns()).map(RowFormat::quoted).collect(Collectors.joining(",")));
      Column[] flat =
          Arrays.stream(rows.schema().fields()).map(RowFormat::flat).toArray(Column[]::new);
      Dataset<Row> printable = rows.select(flat);
      lines(printable, to_csv(all(printable), CSV_OPTIONS), out);
    }
  };

  /** As in RFC 4180, a quote inside quotes is doubled. */
  private static final Map<String, String> CSV_OPTIONS = Map.of("escape", "\"");

  abstract void print(Dataset<Row> rows, PrintStream out);

  private static void lines(Dataset<Row> rows, Column text, PrintStream out) {
    for (Iterator<String> lines = rows.select(text).as(Encoders.STRING()).toLocalIterator();
        lines.hasNext(); ) {
      out.println(lines.next());
    }
  }

  private static Column all(Dataset<Row> rows) {
    return struct(Arrays.stream(rows.columns()).map(AsNamed::column).toArray(Column[]::new));
  }

  private static Column flat(StructField field) {
    Column column = AsNamed.column(field.name());
    boolean nested =
        field.dataType() instanceof ArrayType
            || field.dataType() instanceof MapType
            || field.dataType() instanceof StructType;
    return nested ? functions.to_json(column).as(field.name()) : column;
  }

  private static String quoted(String name) {
    return name.matches("[^,\"\\s]+") ? name : '"' + name.replace("\"", "\"\"") + '"';
  }
}
