package io.guilomo.io;

import static io.guilomo.io.WireReader.LENGTH_DELIMITED;
import static io.guilomo.io.WireReader.VARINT;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * The part of an ONNX graph that identifies the weights. Field numbers are those of <a
 * href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">onnx.proto</a>.
 *
 * @param initialisers by name
 * @param nodes by name, or by their output if they have none
 * @param constants single numbers of {@code Constant} nodes, by the name of their output
 */
record OnnxGraph(
    Map<String, Tensor> initialisers, Map<String, Node> nodes, Map<String, Double> constants) {

  private static final int MODEL_GRAPH = 7;
  private static final int GRAPH_NODE = 1;
  private static final int GRAPH_INITIALISER = 5;
  private static final int NODE_INPUT = 1;
  private static final int NODE_OUTPUT = 2;
  private static final int NODE_NAME = 3;
  private static final int NODE_OPERATOR = 4;
  private static final int NODE_ATTRIBUTE = 5;
  private static final int ATTRIBUTE_TENSOR = 5;
  private static final int TENSOR_DIMENSION = 1;
  private static final int TENSOR_TYPE = 2;
  private static final int TENSOR_NAME = 8;
  private static final int TENSOR_RAW = 9;
  private static final int MAX_RANK = 32;

  /** TensorProto.DataType of the supported types. */
  private static final Map<Integer, TensorType> TYPES =
      Map.of(1, TensorType.F32, 7, TensorType.I64, 10, TensorType.F16, 16, TensorType.BF16);

  /**
   * @param input names of the inputs of the operator, in order
   */
  record Node(String operator, List<String> input) {}

  /**
   * A stored tensor.
   *
   * @param type null for unsupported types
   * @param begin first byte of the raw values in the file
   * @param end byte after the last one; equal to {@code begin} if the file has no raw values
   */
  record Tensor(String name, TensorType type, long[] shape, long begin, long end) {}

  static OnnxGraph read(FSDataInputStream in, long length, Object file) throws IOException {
    return new Parser(new WireReader(in, file), file).model(length);
  }

  private static final class Parser {
    private final WireReader wire;
    private final Object file;
    private final OnnxGraph graph =
        new OnnxGraph(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>());

    private Parser(WireReader wire, Object file) {
      this.wire = wire;
      this.file = file;
    }

    private OnnxGraph model(long end) throws IOException {
      while (wire.next(end)) {
        if (wire.is(MODEL_GRAPH, LENGTH_DELIMITED)) {
          graph(wire.valueEnd());
        } else {
          wire.skip();
        }
      }
      if (graph.initialisers().isEmpty()) {
        throw SafetensorsHeader.refuse(file, "it is not an ONNX file with weights");
      }
      return graph;
    }

    private void graph(long end) throws IOException {
      while (wire.next(end)) {
        if (wire.is(GRAPH_NODE, LENGTH_DELIMITED)) {
          node(wire.valueEnd());
        } else if (wire.is(GRAPH_INITIALISER, LENGTH_DELIMITED)) {
          Tensor tensor = tensor(wire.valueEnd());
          if (graph.initialisers().put(tensor.name(), tensor) != null) {
            throw SafetensorsHeader.refuse(
                file, "it has two initialisers %s".formatted(tensor.name()));
          }
        } else {
          wire.skip();
        }
      }
    }

    private void node(long end) throws IOException {
      String name = "";
      String operator = "";
      List<String> input = new ArrayList<>();
      String output = "";
      Double constant = null;
      while (wire.next(end)) {
        if (wire.is(NODE_INPUT, LENGTH_DELIMITED)) {
          input.add(wire.text());
        } else if (wire.is(NODE_OUTPUT, LENGTH_DELIMITED)) {
          output = wire.text();
        } else if (wire.is(NODE_NAME, LENGTH_DELIMITED)) {
          name = wire.text();
        } else if (wire.is(NODE_OPERATOR, LENGTH_DELIMITED)) {
          operator = wire.text();
        } else if (wire.is(NODE_ATTRIBUTE, LENGTH_DELIMITED)) {
          constant = attribute(wire.valueEnd(), constant);
        } else {
          wire.skip();
        }
      }
      graph.nodes().put(name.isEmpty() ? output : name, new Node(operator, List.copyOf(input)));
      if (operator.equals("Constant") && constant != null) {
        graph.constants().put(output, constant);
      }
    }

    /** The number in an attribute that is a tensor of one number; otherwise {@code otherwise}. */
    private Double attribute(long end, Double otherwise) throws IOException {
      Double constant = otherwise;
      while (wire.next(end)) {
        if (wire.is(ATTRIBUTE_TENSOR, LENGTH_DELIMITED)) {
          constant = number(tensor(wire.valueEnd()), otherwise);
        } else {
          wire.skip();
        }
      }
      return constant;
    }

    private Double number(Tensor tensor, Double otherwise) throws IOException {
      boolean one = tensor.type() != null && tensor.end() - tensor.begin() == tensor.type().bytes();
      if (!one || (tensor.type() != TensorType.I64 && tensor.type() != TensorType.F32)) {
        return otherwise;
      }
      ByteBuffer raw =
          ByteBuffer.wrap(wire.at(tensor.begin(), tensor.type().bytes()))
              .order(ByteOrder.LITTLE_ENDIAN);
      return tensor.type() == TensorType.I64 ? (double) raw.getLong() : (double) raw.getFloat();
    }

    private Tensor tensor(long end) throws IOException {
      String name = "";
      long[] shape = new long[MAX_RANK];
      int rank = 0;
      int type = 0;
      long rawBegin = 0;
      long rawEnd = 0;
      while (wire.next(end)) {
        if (wire.is(TENSOR_DIMENSION, VARINT)) {
          shape[checked(rank++)] = wire.varint();
        } else if (wire.is(TENSOR_DIMENSION, LENGTH_DELIMITED)) {
          long packedEnd = wire.valueEnd();
          while (wire.valueStart() < packedEnd) {
            shape[checked(rank++)] = wire.packedVarint(packedEnd);
          }
        } else if (wire.is(TENSOR_TYPE, VARINT)) {
          type = (int) wire.varint();
        } else if (wire.is(TENSOR_NAME, LENGTH_DELIMITED)) {
          name = wire.text();
        } else {
          if (wire.is(TENSOR_RAW, LENGTH_DELIMITED)) {
            rawBegin = wire.valueStart();
            rawEnd = wire.valueEnd();
          }
          wire.skip();
        }
      }
      return new Tensor(name, TYPES.get(type), Arrays.copyOf(shape, rank), rawBegin, rawEnd);
    }

    private int checked(int rank) {
      if (rank == MAX_RANK) {
        throw SafetensorsHeader.refuse(
            file, "a tensor has more than %s dimensions".formatted(MAX_RANK));
      }
      return rank;
    }
  }
}
