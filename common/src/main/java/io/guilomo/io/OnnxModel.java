package io.guilomo.io;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The initialisers of an ONNX file exported by PyTorch. Biases, norms and embeddings have their
 * Hugging Face names. The weight of a linear layer is anonymous and stored as {@code [in, out]}; it
 * is named after the {@code MatMul} that reads it: {@code
 * /encoder/layer.0/attention/self/query/MatMul} reads {@code
 * encoder.layer.0.attention.self.query.weight}. The second input of a {@code MatMul} is always
 * {@code [in, out]}, even if it has a name.
 */
public final class OnnxModel implements TensorSource {

  static final String FILE = "model.onnx";

  private static final String MATMUL = "/MatMul";

  private final Path path;
  private final FSDataInputStream in;
  private final OnnxGraph graph;
  private final Map<String, Weight> weights = new LinkedHashMap<>();
  private final BlockReader blocks;

  private record Weight(OnnxGraph.Tensor tensor, boolean transposed) {}

  private OnnxModel(Path path, FSDataInputStream in, OnnxGraph graph) {
    this.path = path;
    this.in = in;
    this.graph = graph;
    this.blocks = new BlockReader(in);
    graph.initialisers().forEach((name, tensor) -> weights.put(name, new Weight(tensor, false)));
    graph.nodes().forEach(this::nameWeight);
  }

  /**
   * @throws UserException if the file is not a valid ONNX file with weights
   */
  static OnnxModel open(Path path, Configuration conf) throws IOException {
    FileSystem fs = path.getFileSystem(conf);
    long length = fs.getFileStatus(path).getLen();
    FSDataInputStream in = fs.open(path);
    try {
      if (length <= LfsPointer.MAX_BYTES) {
        byte[] all = new byte[(int) length];
        in.readFully(0, all);
        LfsPointer.refuse(path, all);
      }
      return new OnnxModel(path, in, OnnxGraph.read(in, length, path));
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private void nameWeight(String node, OnnxGraph.Node operation) {
    if (!operation.operator().equals("MatMul") || operation.input().size() != 2) {
      return;
    }
    OnnxGraph.Tensor tensor = graph.initialisers().get(operation.input().get(1));
    if (tensor == null || tensor.shape().length != 2) {
      return;
    }
    weights.put(tensor.name(), new Weight(tensor, true));
    if (node.endsWith(MATMUL)) {
      String module = node.substring(node.startsWith("/") ? 1 : 0, node.length() - MATMUL.length());
      weights.put(module.replace('/', '.') + ".weight", new Weight(tensor, true));
    }
  }

  @Override
  public Set<String> names() {
    return weights.keySet();
  }

  /** {@inheritDoc} Constants of the graph, which are no weights, are not among them. */
  @Override
  public Set<String> others(Set<String> names) {
    Set<OnnxGraph.Tensor> known = Collections.newSetFromMap(new IdentityHashMap<>());
    names.forEach(name -> known.add(weights.get(name).tensor()));
    Set<String> others = new LinkedHashSet<>();
    weights.forEach(
        (name, weight) -> {
          OnnxGraph.Tensor tensor = weight.tensor();
          boolean weights = tensor.type() != null && tensor.type().weights();
          if (weights && tensor.shape().length > 0 && known.add(tensor)) {
            others.add(name);
          }
        });
    return others;
  }

  /** {@inheritDoc} Checked against the bytes in the file, so that it is safe to allocate. */
  @Override
  public long[] shape(String name) {
    Weight weight = weights.get(name);
    long[] shape = weight.tensor().shape();
    requireBytes(name, weight.tensor());
    return weight.transposed() ? new long[] {shape[1], shape[0]} : shape.clone();
  }

  private void requireBytes(String name, OnnxGraph.Tensor tensor) {
    if (tensor.type() == null || !tensor.type().weights()) {
      throw refuse("tensor %s is not of type FLOAT, FLOAT16 or BFLOAT16".formatted(name));
    }
    String shape = Arrays.toString(tensor.shape());
    long expected = tensor.type().bytes();
    try {
      for (long size : tensor.shape()) {
        expected = Math.multiplyExact(expected, size);
      }
    } catch (ArithmeticException e) {
      throw refuse("tensor %s has the impossible shape %s".formatted(name, shape));
    }
    if (tensor.end() - tensor.begin() != expected) {
      throw refuse(
          "tensor %s of type %s and shape %s needs %s bytes, its raw_data has %s"
              .formatted(name, tensor.type(), shape, expected, tensor.end() - tensor.begin()));
    }
  }

  @Override
  public boolean half(String name) {
    return weights.get(name).tensor().type() == TensorType.F16;
  }

  @Override
  public void read(String name, FloatSink target, MessageDigest digest) throws IOException {
    Weight weight = weights.get(name);
    OnnxGraph.Tensor tensor = weight.tensor();
    requireBytes(name, tensor);
    long elements = Arrays.stream(tensor.shape()).reduce(1, (a, b) -> a * b);
    if (!weight.transposed()) {
      blocks.read(tensor.begin(), tensor.type(), elements, target, digest);
      return;
    }
    try (INDArray stored = SafetensorsFile.allocate(tensor.shape())) {
      blocks.read(tensor.begin(), tensor.type(), elements, FloatMemory.of(stored), digest);
      transpose(stored, target);
    }
  }

  /** Passes on a matrix transposed, one block of columns after the other. */
  private static void transpose(INDArray stored, FloatSink target) {
    long rows = stored.rows();
    int most = (int) Math.max(1, Math.min(stored.columns(), BlockReader.BLOCK / rows));
    for (int first = 0; first < stored.columns(); first += most) {
      int count = Math.min(most, stored.columns() - first);
      float[] block =
          ArrayViews.columns(stored, first, count).transpose().dup('c').data().asFloat();
      target.put(first * rows, block, block.length);
    }
  }

  @Override
  public void digest(String name, MessageDigest digest) throws IOException {
    OnnxGraph.Tensor tensor = weights.get(name).tensor();
    requireBytes(name, tensor);
    blocks.digest(tensor.begin(), tensor.end() - tensor.begin(), digest);
  }

  public boolean has(String operator) {
    return graph.nodes().values().stream().anyMatch(node -> node.operator().equals(operator));
  }

  /** The constant that a node reads; empty if there is no such node or it reads no constant. */
  public OptionalDouble constant(String node, int input) {
    OnnxGraph.Node reader = graph.nodes().get(node);
    Double constant =
        reader == null || reader.input().size() <= input
            ? null
            : graph.constants().get(reader.input().get(input));
    return constant == null ? OptionalDouble.empty() : OptionalDouble.of(constant);
  }

  public UserException refuse(String reason) {
    return SafetensorsHeader.refuse(path, reason);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
