package io.guilomo.spark.cli;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_csv;
import static org.apache.spark.sql.functions.to_json;

import io.guilomo.model.UserException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
      requireDistinct(rows.columns());
      lines(rows, fields -> to_json(struct(fields), Map.of("ignoreNullFields", "false")), out);
    }
  },
  /** A header line, then one line per row; lists and maps as JSON. */
  CSV {
    @Override
    void print(Dataset<Row> rows, PrintStream out) {
      out.println(
          Arrays.stream(rows.columns()).map(RowFormat::quoted).collect(Collectors.joining(",")));
      StructField[] schema = rows.schema().fields();
      lines(
          rows,
          fields -> {
            Arrays.setAll(fields, i -> flat(fields[i], schema[i]));
            return to_csv(struct(fields), CSV_OPTIONS);
          },
          out);
    }
  };

  /** As in RFC 4180, a quote inside quotes is doubled, and spaces are part of a field. */
  private static final Map<String, String> CSV_OPTIONS =
      Map.of(
          "escape", "\"", "ignoreLeadingWhiteSpace", "false", "ignoreTrailingWhiteSpace", "false");

  abstract void print(Dataset<Row> rows, PrintStream out);

  /**
   * @param text of the columns, which come under their names
   */
  private static void lines(Dataset<Row> rows, Function<Column[], Column> text, PrintStream out) {
    String[] names = rows.columns();
    // Two columns of one name can only be told by their positions.
    Dataset<Row> numbered =
        rows.toDF(IntStream.range(0, names.length).mapToObj(i -> "c" + i).toArray(String[]::new));
    Column[] fields =
        IntStream.range(0, names.length)
            .mapToObj(i -> col("c" + i).as(names[i]))
            .toArray(Column[]::new);
    Column line = text.apply(fields);
    for (Iterator<String> lines = numbered.select(line).as(Encoders.STRING()).toLocalIterator();
        lines.hasNext(); ) {
      out.println(lines.next());
    }
  }

  /** Readers of an object take one of two fields of the same name. */
  private static void requireDistinct(String[] names) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new UserException(
            "Cannot print rows as JSON: two columns are called %s; give one another name with AS",
            name);
      }
    }
  }

  private static Column flat(Column column, StructField field) {
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
