package io.guilomo.spark.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The columns other people's programs read. */
class TestTableSchemas {

  static Stream<Arguments> schemas() {
    return Stream.of(
        Arguments.of(
            RunsTable.INSTANCE,
            "runs",
            "job STRING,status STRING,started_at TIMESTAMP,finished_at TIMESTAMP,seed BIGINT,strategy STRING,"
                + "backbone STRING,backbone_digest STRING,dataset STRING,workers BIGINT,config_json STRING,"
                + "version STRING,records BIGINT,train_records BIGINT,validation_records BIGINT,"
                + "truncated_records BIGINT,dropped_records BIGINT,bad_records BIGINT,first_bad STRING,"
                + "repeated_records BIGINT"),
        Arguments.of(
            PlanModulesTable.INSTANCE,
            "plan_modules",
            "strategy STRING,seed BIGINT,layer INT,module STRING,in_features BIGINT,out_features BIGINT,"
                + "experts BIGINT,top_k BIGINT,total_rank BIGINT,parameters BIGINT"),
        Arguments.of(
            PlanExpertsTable.INSTANCE,
            "plan_experts",
            "strategy STRING,seed BIGINT,layer INT,module STRING,expert INT,rank INT,alpha DOUBLE,scaling DOUBLE,"
                + "routed_tokens BIGINT,parameters BIGINT"),
        Arguments.of(
            GsvHistoryTable.INSTANCE,
            "gsv_history",
            "seed BIGINT,round BIGINT,layer INT,module STRING,kind STRING,expert INT,index INT,value DOUBLE,"
                + "is_argmax BOOLEAN"),
        Arguments.of(
            MetricsTable.INSTANCE,
            "metrics",
            "job STRING,seed BIGINT,round BIGINT,step BIGINT,worker INT,split STRING,name STRING,value DOUBLE,"
                + "at TIMESTAMP,layer INT,module STRING,expert INT"));
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void columnsAreTheDocumentedOnes(Table<?> table, String name, String columns) {
    assertThat(table.name()).isEqualTo(name);
    assertThat(table.schema().toDDL())
        .isEqualTo(columns + ",schema_version INT,run_date DATE,run_id STRING");
  }
}
