"""Allocates, fine-tunes, evaluates and publishes a model, once per DAG run.

Copy this file into the DAG folder of Airflow 2.10 or later, 3 included. It needs the provider
apache-airflow-providers-apache-spark, the connection spark_default, and the jar and the configuration in a place where
Spark can read them. The configuration names the records of the evaluation (evaluate.data, .table or .query). Change the
parameters below in the user interface or with `airflow dags trigger guilomo --conf '{"executors": 4}'`.

All tasks of a DAG run share one run id, derived from the DAG run's own, so that it may be scheduled, manual, or
triggered by an asset. A task that is retried or cleared resumes from the newest checkpoint of that run and replaces the
run's rows in the tables, so none appears twice.

Spark runs in the connection's deploy mode. For cluster mode on YARN, set GUILOMO_YARN_CLUSTER=true in the environment of
Airflow's processes, and name the web address of the ResourceManager in the connection's extra fields:
{"yarn_resourcemanager_webapp_address": "http://resourcemanager:8088"}. Newer providers ask it how the application
fares, and from Airflow 3.3 a retry after the loss of an Airflow worker finds the application that is still running.
Before, the run's lock refuses a second one until the first has ended.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
from datetime import datetime, timedelta

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

try:
    from airflow.sdk import DAG, Asset, Param
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.models.param import Param

# Or [Asset(uri=…)]: when another DAG has published that.
SCHEDULE = "@weekly"

# Updated by each published adapter; the event's extra tells run and directory.
PUBLISHED = Asset(uri="x-guilomo://published-adapter")

RUN_ID = "{{ (params.name ~ '-' ~ dag_run.run_id) | guilomo_run_id }}"
RUN_DIRECTORY = "{{ params.output }}/runs/" + RUN_ID

JAVA_OPTIONS = (
    "--add-modules=jdk.incubator.vector -Dorg.bytedeco.openblas.load=mkl -Dai.djl.offline=true "
    "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0 -Dorg.bytedeco.javacpp.maxBytes="
)
# Pages of 2 MiB for memory outside the heap.
HUGE_PAGES = "glibc.malloc.hugetlb=1"

# Providers that can follow an application through YARN's ResourceManager refuse cluster mode on YARN unless they are told
# to, and anything else if they are.
CLUSTER = {}
if os.environ.get("GUILOMO_YARN_CLUSTER") == "true":
    CLUSTER["deploy_mode"] = "cluster"
    if "yarn_track_via_rm_api" in inspect.signature(SparkSubmitOperator.__init__).parameters:
        CLUSTER["yarn_track_via_rm_api"] = True

PARAMS = {
    "jar": Param("hdfs:///guilomo/guilomo-spark-jobs.jar", type="string", description="The jar of the jobs"),
    "config": Param(
        "hdfs:///guilomo/model.conf", type="string", description="Configuration of model, data and evaluate.data"
    ),
    "output": Param("hdfs:///guilomo", type="string", description="Directory of runs and tables"),
    "publish": Param("hdfs:///guilomo/published", type="string", description="Directory of published adapters"),
    "format": Param("guilomo", enum=["guilomo", "released", "peft", "merged"], description="Format of the published files"),
    "name": Param(
        "weekly", type="string", pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Prefix of every run id"
    ),
    # LLaMA-2-7B on CPUs, as in conf/llama2-7b.conf; deploy/guilomo doctor says what a configuration needs.
    "executors": Param(8, type="integer", minimum=1, description="Number of executors, one for each worker"),
    "executor_cores": Param(
        8, type="integer", minimum=1, description="Cores of each executor, for its one task; 1 with master local[…]"
    ),
    "executor_memory": Param("14g", type="string", description="Heap of each executor"),
    "off_heap": Param("60g", type="string", description="Memory outside the heap of each executor"),
    "driver_memory": Param("14g", type="string", description="Heap of the driver"),
    "driver_off_heap": Param(
        "6g", type="string", description="Memory outside the heap of the driver; with master local[…] that of all"
    ),
    "conf": Param({}, type="object", description="Further settings of Spark, as an object"),
    "packages": Param(
        None, type=["null", "string"], description="What --packages takes, such as org.apache.hadoop:hadoop-aws:3.3.4"
    ),
}


def run_id(name: str) -> str:
    """The name with only the characters that run.id allows, at most 128.

    Where that changes it, a hash of the whole name makes the difference between names that would become equal.
    """
    allowed = re.sub(r"[^A-Za-z0-9._-]", "-", name)[:117]
    return name if name == allowed else allowed + "-" + hashlib.sha256(name.encode()).hexdigest()[:10]


def announce(context, result=None) -> None:
    """Tells DAGs that are scheduled by PUBLISHED which run was published, and where."""
    run = run_id(f"{context['params']['name']}-{context['dag_run'].run_id}")
    context["outlet_events"][PUBLISHED].extra = {
        "run_id": run,
        "directory": f"{context['params']['publish']}/{run}",
        "format": context["params"]["format"],
    }


def configure(context) -> None:
    """Adds the settings of the parameter conf, whose names a template could not hold."""
    context["ti"].task.conf.update({name: str(value) for name, value in context["params"]["conf"].items()})


def guilomo(task_id: str, arguments: list[str], **settings) -> SparkSubmitOperator:
    """A task that runs one command of GuiLoMo on Spark."""
    return SparkSubmitOperator(
        task_id=task_id,
        conn_id="spark_default",
        application="{{ params.jar }}",
        java_class="io.guilomo.spark.cli.Main",
        name="guilomo " + task_id + " " + RUN_ID,
        application_args=arguments,
        packages="{{ params.packages or '' }}",
        pre_execute=configure,
        # Set here because Airflow does not render the operator's own arguments for these.
        conf={
            "spark.driver.memory": "{{ params.driver_memory }}",
            "spark.driver.memoryOverhead": "{{ params.driver_off_heap }}",
            "spark.driver.extraJavaOptions": JAVA_OPTIONS + "{{ params.driver_off_heap }}",
            "spark.executor.instances": "{{ params.executors }}",
            "spark.executor.cores": "{{ params.executor_cores }}",
            "spark.task.cpus": "{{ params.executor_cores }}",
            # A standalone cluster is asked for cores, not for a number of executors.
            "spark.cores.max": "{{ params.executors * params.executor_cores }}",
            "spark.executor.memory": "{{ params.executor_memory }}",
            "spark.executor.memoryOverhead": "{{ params.off_heap }}",
            "spark.executor.extraJavaOptions": JAVA_OPTIONS + "{{ params.off_heap }}",
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
            "--set",
            "cluster.workers={{ params.executors }}",
        ],
        **CLUSTER,
    )


with DAG(
    dag_id="guilomo",
    description="Learns how many experts each layer needs, trains them, and publishes the adapter",
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["guilomo"],
    user_defined_filters={"guilomo_run_id": run_id},
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
        outlets=[PUBLISHED],
        post_execute=announce,
    )
    allocate >> finetune >> evaluate >> publish
