"""Tests of guilomo_dag.py, with a stub that takes the same arguments as Airflow's classes, and with Airflow itself if
it is installed.

    python3 deploy/airflow/test_guilomo_dag.py                    runs the tests
    python3 deploy/airflow/test_guilomo_dag.py --render '{…}'     prints the command lines of a DAG run as JSON; the
                                                                  argument holds params and ts_nodash
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
import types
import unittest
from pathlib import Path

DAG_FILE = Path(__file__).with_name("guilomo_dag.py")
DATE = "20260105T000000"

# Arguments of SparkSubmitOperator in apache-airflow-providers-apache-spark.
SPARK_SUBMIT = {
    "application", "conf", "conn_id", "files", "py_files", "archives", "driver_class_path", "jars", "java_class",
    "packages", "exclude_packages", "repositories", "total_executor_cores", "executor_cores", "executor_memory",
    "driver_memory", "keytab", "principal", "proxy_user", "name", "num_executors", "status_poll_interval",
    "application_args", "env_vars", "verbose", "spark_binary", "properties_file", "yarn_queue", "deploy_mode",
    "use_krb5ccache",
}
# Those of them that it renders.
TEMPLATED = {
    "application", "conf", "files", "py_files", "jars", "driver_class_path", "packages", "exclude_packages", "keytab",
    "principal", "proxy_user", "name", "application_args", "env_vars", "properties_file",
}
OPERATOR = {"task_id", "retries", "retry_delay", "execution_timeout", "depends_on_past", "trigger_rule", "pool"}
DAG_ARGUMENTS = {
    "dag_id", "description", "schedule", "start_date", "catchup", "max_active_runs", "params", "tags", "default_args",
}


class StubDag:
    """Records its tasks in the order of their creation."""

    current = None

    def __init__(self, **arguments):
        unknown = set(arguments) - DAG_ARGUMENTS
        if unknown:
            raise TypeError(f"DAG has no {sorted(unknown)}")
        self.arguments = arguments
        self.tasks = []

    def __enter__(self):
        StubDag.current = self
        return self

    def __exit__(self, *_):
        StubDag.current = None


class StubSparkSubmit:
    def __init__(self, **arguments):
        unknown = set(arguments) - SPARK_SUBMIT - OPERATOR
        if unknown:
            raise TypeError(f"SparkSubmitOperator has no {sorted(unknown)}")
        self.arguments = arguments
        self.downstream = []
        StubDag.current.tasks.append(self)

    @property
    def task_id(self):
        return self.arguments["task_id"]

    def __rshift__(self, other):
        self.downstream.append(other.task_id)
        return other


class StubParam:
    def __init__(self, default, **schema):
        self.default = default
        self.schema = schema


def load():
    """The DAG that the file defines."""
    modules = {
        "airflow": {"DAG": StubDag},
        "airflow.models": {},
        "airflow.models.param": {"Param": StubParam},
        "airflow.providers": {},
        "airflow.providers.apache": {},
        "airflow.providers.apache.spark": {},
        "airflow.providers.apache.spark.operators": {},
        "airflow.providers.apache.spark.operators.spark_submit": {"SparkSubmitOperator": StubSparkSubmit},
    }
    before = {name: sys.modules.get(name) for name in modules}
    try:
        for name, members in modules.items():
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(members)
        spec = importlib.util.spec_from_file_location("guilomo_dag", DAG_FILE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.dag
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def render(dag, params, ts_nodash):
    """The arguments of all tasks as Airflow would render them."""
    values = {f"params.{name}": param.default for name, param in dag.arguments["params"].items()}
    values.update({f"params.{name}": value for name, value in params.items()})
    values["ts_nodash"] = ts_nodash

    def text(value):
        if isinstance(value, str):
            return re.sub(r"\{\{ *([\w.]+) *\}\}", lambda match: values[match.group(1)], value)
        if isinstance(value, list):
            return [text(entry) for entry in value]
        if isinstance(value, dict):
            return {name: text(entry) for name, entry in value.items()}
        return value

    return {
        task.task_id: {
            name: text(value) if name in TEMPLATED else value
            for name, value in task.arguments.items()
            if name not in OPERATOR
        }
        for task in dag.tasks
    }


class TestGuilomoDag(unittest.TestCase):
    def setUp(self):
        self.dag = load()

    def test_nothing_happens_when_the_file_is_read(self):
        """The scheduler reads it every few seconds."""
        tree = ast.parse(DAG_FILE.read_text(encoding="utf-8"))
        for node in tree.body:
            for part in ast.walk(node):
                if isinstance(part, (ast.FunctionDef, ast.Lambda)):
                    break
                if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                    self.assertIn(part.func.id, {"Param", "DAG", "guilomo", "job", "datetime", "timedelta"})
        imports = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imports |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        self.assertEqual({name.split(".")[0] for name in imports}, {"__future__", "datetime", "airflow"})

    def test_order(self):
        self.assertEqual([task.task_id for task in self.dag.tasks], ["allocate", "finetune", "evaluate", "publish"])
        self.assertEqual(
            [task.downstream for task in self.dag.tasks], [["finetune"], ["evaluate"], ["publish"], []])

    def test_a_retry_has_the_same_run_id_and_another_date_has_not(self):
        first = render(self.dag, {}, DATE)
        self.assertEqual(first, render(self.dag, {}, DATE))
        self.assertIn("run.id=weekly-" + DATE, first["allocate"]["application_args"])
        self.assertNotEqual(first, render(self.dag, {}, "20260112T000000"))
        self.assertGreaterEqual(self.dag.arguments["default_args"]["retries"], 1)
        self.assertEqual(self.dag.arguments["max_active_runs"], 1)

    def test_everything_is_rendered(self):
        params = {name: "x-" + name for name in self.dag.arguments["params"]}
        for task, arguments in render(self.dag, params, DATE).items():
            self.assertNotIn("{{", json.dumps(arguments), task)
            self.assertEqual(arguments["application"], "x-jar")
            self.assertEqual(arguments["java_class"], "io.guilomo.spark.cli.Main")
            self.assertEqual(arguments["conf"]["spark.dynamicAllocation.enabled"], "false")
            self.assertEqual(arguments["conf"]["spark.speculation"], "false")
            for environment in ("executorEnv", "yarn.appMasterEnv", "kubernetes.driverEnv"):
                self.assertEqual(
                    arguments["conf"][f"spark.{environment}.GLIBC_TUNABLES"], "glibc.malloc.hugetlb=1"
                )
            for process in ("driver", "executor"):
                settings = {
                    name.removeprefix(f"spark.{process}."): value
                    for name, value in arguments["conf"].items()
                    if name.startswith(f"spark.{process}.")
                }
                self.assertEqual(settings["memory"], f"x-{process}_memory")
                # A container with less memory is killed before the limit is reached.
                self.assertEqual(settings["memoryOverhead"], "x-off_heap")
                self.assertIn("-Dorg.bytedeco.javacpp.maxBytes=x-off_heap ", settings["extraJavaOptions"])

    def test_what_the_operator_does_not_take_is_noticed(self):
        with self.assertRaisesRegex(TypeError, "has no \\['master'\\]"):
            StubSparkSubmit(task_id="a", master="local")

    def test_airflow_itself_reads_it(self):
        try:
            from airflow.models import DagBag
        except ImportError:
            self.skipTest("skipped: Airflow is not installed")
        bag = DagBag(dag_folder=str(DAG_FILE.parent), include_examples=False)
        self.assertEqual(bag.import_errors, {})
        self.assertEqual(set(bag.dags), {"guilomo"})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--render"]:
        given = json.loads(sys.argv[2])
        json.dump(render(load(), given["params"], given["ts_nodash"]), sys.stdout)
    else:
        unittest.main()
