"""Allocates, fine-tunes, evaluates and publishes a model, once per logical date.

Copy this file into Airflow's DAG folder. It needs the provider apache-airflow-providers-apache-spark, a Spark
connection, and the jar and the configuration in a place where Spark can read them. Change the parameters below in the
user interface or with `airflow dags trigger --conf`.

All tasks of a DAG run share one run id, derived from its logical date. A task that is retried or cleared resumes from
the newest checkpoint of that run and replaces the run's rows in the tables, so none appears twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.models.param import Param
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

RUN_ID = "{{ params.name }}-{{ ts_nodash }}"
RUN_DIRECTORY = "{{ params.output }}/runs/" + RUN_ID

JAVA_OPTIONS = (
    "--add-modules=jdk.incubator.vector -Dorg.bytedeco.openblas.load=mkl -Dai.djl.offline=true "
    "-Dorg.bytedeco.javacpp.maxBytes={{ params.off_heap }} -Dorg.bytedeco.javacpp.maxPhysicalBytes=0"
)
# Pages of 2 MiB for memory outside the heap.
HUGE_PAGES = "glibc.malloc.hugetlb=1"

PARAMS = {
    "jar": Param("hdfs:///guilomo/guilomo-spark-jobs.jar", type="string", description="The jar of the jobs"),
    "config": Param("hdfs:///guilomo/model.conf", type="string", description="Configuration of model and data"),
    "output": Param("hdfs:///guilomo/output", type="string", description="Directory of runs and tables"),
    "publish": Param("hdfs:///guilomo/published", type="string", description="Directory of published adapters"),
    "format": Param("guilomo", enum=["guilomo", "released", "peft"], description="Format of the published files"),
    "name": Param("weekly", type="string", pattern="^[A-Za-z0-9._-]+$", description="Prefix of every run id"),
    "off_heap": Param("32g", type="string", description="Memory outside the heap of each process"),
    "executor_memory": Param("14g", type="string", description="Heap of each executor"),
    "driver_memory": Param("14g", type="string", description="Heap of the driver"),
}


def guilomo(task_id: str, arguments: list[str], **settings: str) -> SparkSubmitOperator:
    """A task that runs one command of GuiLoMo on Spark."""
    return SparkSubmitOperator(
        task_id=task_id,
        conn_id="spark_default",
        application="{{ params.jar }}",
        java_class="io.guilomo.spark.cli.Main",
        name="guilomo " + task_id + " " + RUN_ID,
        application_args=arguments,
        # Set here because Airflow does not render the operator's own arguments for these.
        conf={
            "spark.driver.memory": "{{ params.driver_memory }}",
            "spark.driver.memoryOverhead": "{{ params.off_heap }}",
            "spark.executor.memory": "{{ params.executor_memory }}",
            "spark.executor.memoryOverhead": "{{ params.off_heap }}",
            "spark.driver.extraJavaOptions": JAVA_OPTIONS,
            "spark.executor.extraJavaOptions": JAVA_OPTIONS,
            "spark.executorEnv.GLIBC_TUNABLES": HUGE_PAGES,
            "spark.yarn.appMasterEnv.GLIBC_TUNABLES": HUGE_PAGES,
            "spark.kubernetes.driverEnv.GLIBC_TUNABLES": HUGE_PAGES,
            "spark.dynamicAllocation.enabled": "false",
            "spark.speculation": "false",
        },
        **settings,
    )


def job(command: str) -> SparkSubmitOperator:
    """A task that runs a job under the DAG run's run id."""
    return guilomo(
        command,
        [
            command,
            "--config",
            "{{ params.config }}",
            "--set",
            "run.id=" + RUN_ID,
            "--set",
            "output.dir={{ params.output }}",
        ],
    )


with DAG(
    dag_id="guilomo",
    description="Learns how many experts each layer needs, trains them, and publishes the adapter",
    schedule="@weekly",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["guilomo"],
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(days=2),
    },
) as dag:
    allocate = job("allocate")
    finetune = job("finetune")
    evaluate = job("evaluate")
    publish = guilomo(
        "publish",
        [
            "export",
            "--adapter",
            RUN_DIRECTORY + "/adapter",
            "--format",
            "{{ params.format }}",
            "--output",
            "{{ params.publish }}/" + RUN_ID,
        ],
        # It copies files and starts no executor, which YARN would treat as a failure of a driver in the cluster.
        deploy_mode="client",
    )
    allocate >> finetune >> evaluate >> publish
