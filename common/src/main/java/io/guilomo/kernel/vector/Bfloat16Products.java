package io.guilomo.kernel.vector;

import org.bytedeco.dnnl.const_dnnl_op_desc_t;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_matmul_desc_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Pointer;

/**
 * oneDNN's products of bfloat16 matrices, summed in 32 bits, on raw addresses and the calling
 * thread alone. Four primitives serve all sizes: ones that know theirs were no more than 3 % faster
 * and take half a millisecond to make, for every number of tokens that a batch can have.
 */
final class Bfloat16Products {
  private static final int ARGUMENTS = 3;

  private final dnnl_engine engine = new dnnl_engine();
  private final dnnl_primitive[] primitives = new dnnl_primitive[4];
  private final ThreadLocal<Call> calls = ThreadLocal.withInitial(Call::new);

  Bfloat16Products() {
    OpenMp.omp_set_num_threads(1);
    check(dnnl.dnnl_engine_create(engine, dnnl.dnnl_cpu, 0), "an engine");
    for (int i = 0; i < primitives.length; i++) {
      primitives[i] = primitive((i & 1) != 0, (i & 2) != 0);
    }
  }

  /** Whether this processor multiplies bfloat16 faster than float32. */
  static boolean fast() {
    return OneDnnProducts.has(dnnl.dnnl_cpu_isa_avx512_core_bf16);
  }

  private dnnl_primitive primitive(boolean transposed, boolean accumulate) {
    long any = dnnl.DNNL_RUNTIME_DIM_VAL();
    dnnl_memory_desc_t a = described(dnnl.dnnl_bf16, any, any, any, 1);
    dnnl_memory_desc_t b =
        described(dnnl.dnnl_bf16, any, any, transposed ? 1 : any, transposed ? any : 1);
    dnnl_memory_desc_t c = described(dnnl.dnnl_f32, any, any, any, 1);
    try (dnnl_matmul_desc_t operation = new dnnl_matmul_desc_t();
        dnnl_primitive_attr attributes = new dnnl_primitive_attr();
        dnnl_post_ops after = new dnnl_post_ops();
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        a;
        b;
        c) {
      check(dnnl.dnnl_matmul_desc_init(operation, a, b, null, c), "a product");
      check(dnnl.dnnl_primitive_attr_create(attributes), "attributes");
      check(dnnl.dnnl_post_ops_create(after), "attributes");
      if (accumulate) {
        check(dnnl.dnnl_post_ops_append_sum(after, 1), "a sum");
      }
      check(dnnl.dnnl_primitive_attr_set_post_ops(attributes, after), "a sum");
      check(
          dnnl.dnnl_primitive_desc_create(
              description, new const_dnnl_op_desc_t(operation), attributes, engine, null),
          "a product");
      dnnl_primitive primitive = new dnnl_primitive();
      check(dnnl.dnnl_primitive_create(primitive, description), "a product");
      check(dnnl.dnnl_primitive_desc_destroy(description), "a product");
      check(dnnl.dnnl_post_ops_destroy(after), "attributes");
      check(dnnl.dnnl_primitive_attr_destroy(attributes), "attributes");
      return primitive;
    }
  }

  private static dnnl_memory_desc_t described(
      int type, long rows, long columns, long rowStride, long columnStride) {
    dnnl_memory_desc_t description = new dnnl_memory_desc_t();
    describe(description, type, rows, columns, rowStride, columnStride);
    return description;
  }

  private static void describe(
      dnnl_memory_desc_t description,
      int type,
      long rows,
      long columns,
      long rowStride,
      long columnStride) {
    check(
        dnnl.dnnl_memory_desc_init_by_strides(
            description, 2, new long[] {rows, columns}, type, new long[] {rowStride, columnStride}),
        "a matrix");
  }

  /**
   * {@code c = a · b'} or {@code c += a · b'}, {@code c [m, n]}; strides in elements.
   *
   * @param addressA bfloat16, as {@code addressB}
   * @param addressC 32-bit floats
   */
  void product(
      boolean transposeB,
      int m,
      int n,
      int k,
      long addressA,
      int strideA,
      long addressB,
      int strideB,
      boolean accumulate,
      long addressC,
      int strideC) {
    OpenMp.omp_set_num_threads(1);
    Call call = calls.get();
    call.set(0, dnnl.dnnl_bf16, m, k, strideA, 1, addressA);
    call.set(1, dnnl.dnnl_bf16, k, n, transposeB ? 1 : strideB, transposeB ? strideB : 1, addressB);
    call.set(2, dnnl.dnnl_f32, m, n, strideC, 1, addressC);
    call.run(primitives[(transposeB ? 1 : 0) + (accumulate ? 2 : 0)]);
  }

  private static void check(int status, String what) {
    if (status != dnnl.dnnl_success) {
      throw new IllegalStateException("oneDNN refused %s: status %d".formatted(what, status));
    }
  }

  /** What a thread hands over. */
  private final class Call {
    private static final int[] NAMES = {
      dnnl.DNNL_ARG_SRC, dnnl.DNNL_ARG_WEIGHTS, dnnl.DNNL_ARG_DST
    };

    private final dnnl_stream stream = new dnnl_stream();
    private final dnnl_memory_desc_t description = new dnnl_memory_desc_t();
    private final dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(ARGUMENTS);
    private final dnnl_memory[] memories = new dnnl_memory[ARGUMENTS];
    private final Address address = new Address();

    Call() {
      check(dnnl.dnnl_stream_create(stream, engine, dnnl.dnnl_stream_default_flags), "a stream");
    }

    void set(
        int argument,
        int type,
        long rows,
        long columns,
        long rowStride,
        long columnStride,
        long at) {
      describe(description, type, rows, columns, rowStride, columnStride);
      dnnl_memory memory = new dnnl_memory();
      check(dnnl.dnnl_memory_create(memory, description, engine, address.at(at)), "a matrix");
      memories[argument] = memory;
      arguments.position(argument).arg(NAMES[argument]).memory(memory);
    }

    void run(dnnl_primitive primitive) {
      int status = dnnl.dnnl_primitive_execute(primitive, stream, ARGUMENTS, arguments.position(0));
      check(status == dnnl.dnnl_success ? dnnl.dnnl_stream_wait(stream) : status, "a product");
      for (dnnl_memory memory : memories) {
        check(dnnl.dnnl_memory_destroy(memory), "a matrix");
      }
    }
  }

  private static class Address extends Pointer {
    Address at(long address) {
      this.address = address;
      return this;
    }
  }
}
