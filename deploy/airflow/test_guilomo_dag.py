"""Tests of guilomo_dag.py, with a stand-in for several versions of Airflow, and with Airflow itself if the Python that
runs them has it. Needs Jinja2, which renders templates in Airflow, too.

    python3 deploy/airflow/test_guilomo_dag.py                    runs the tests
    python3 deploy/airflow/test_guilomo_dag.py --render '{…}'     prints the command lines of a DAG run as JSON; the
                                                                  argument holds params and run_id
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings
from datetime import datetime, timezone
from pathlib import Path
from unittest import mock

import airflow_stub as stub

DAG_FILE = Path(__file__).with_name("guilomo_dag.py")
SCHEDULED = "scheduled__2026-01-05T00:00:00+00:00"
# JobRun.RUN_ID, which the jobs check run.id with.
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
RESOURCE_MANAGER = "http://resourcemanager:8088"


def load(version=stub.VERSIONS[-1], cluster=False):
    """The module with the DAG for that version of Airflow."""
    with stub.installed(version), mock.patch.dict(os.environ, {"GUILOMO_YARN_CLUSTER": str(cluster).lower()}):
        spec = importlib.util.spec_from_file_location("guilomo_dag", DAG_FILE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def render(dag, run_id, params=None):
    """The arguments of all tasks as Airflow would render them."""
    context = dag.context(run_id, params)
    return {task.task_id: task.rendered(dag.environment(), context) for task in dag.tasks}


def run_of(dag, run_id, params=None):
    """The run id of a DAG run's jobs."""
    names = {
        argument.removeprefix("run.id=")
        for arguments in render(dag, run_id, params).values()
        for argument in arguments["application_args"]
        if argument.startswith("run.id=")
    }
    (name,) = names
    return name


class TestGuilomoDag(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("error")
        self.dag = load().dag

    def test_nothing_happens_when_the_file_is_read(self):
        """The scheduler reads it every few seconds."""
        tree = ast.parse(DAG_FILE.read_text(encoding="utf-8"))
        for node in tree.body:
            for part in ast.walk(node):
                if isinstance(part, (ast.FunctionDef, ast.Lambda)):
                    break
                if isinstance(part, ast.Call):
                    self.assertIn(
                        ast.unparse(part.func),
                        {
                            "Param", "DAG", "Asset", "guilomo", "job", "datetime", "timedelta", "os.environ.get",
                            "inspect.signature",
                        },
                    )
        imports = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imports |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        self.assertEqual(
            {name.split(".")[0] for name in imports},
            {"__future__", "datetime", "hashlib", "inspect", "os", "re", "airflow"},
        )

    def test_order(self):
        for version in stub.VERSIONS:
            dag = load(version).dag
            self.assertEqual([task.task_id for task in dag.tasks], ["allocate", "finetune", "evaluate", "publish"])
            self.assertEqual([task.downstream for task in dag.tasks], [["finetune"], ["evaluate"], ["publish"], []])

    def test_a_retry_has_the_same_run_id_and_another_run_has_not(self):
        first = render(self.dag, SCHEDULED)
        self.assertEqual(first, render(self.dag, SCHEDULED))
        self.assertNotEqual(first, render(self.dag, "scheduled__2026-01-12T00:00:00+00:00"))
        self.assertGreaterEqual(self.dag.arguments["default_args"]["retries"], 1)
        self.assertEqual(self.dag.arguments["max_active_runs"], 1)

    def test_run_ids_are_those_of_the_dag_run_in_characters_that_jobs_allow(self):
        self.assertEqual(run_of(self.dag, "manual-3"), "weekly-manual-3")
        self.assertEqual(
            run_of(self.dag, SCHEDULED), "weekly-scheduled__2026-01-05T00-00-00-00-00-2bf75e2788")
        given = [
            SCHEDULED,
            "scheduled__2026-01-05T00-00-00-00-00",
            "scheduled__2026-01-05T00:00:00-00:00",
            "manual__2026-01-05T08:30:00.123456+00:00_dXb7k2Qs",
            "asset_triggered__2026-01-05T08:30:00+00:00_a1B2c3D4",
            "dataset_triggered__2026-01-05T08:30:00.123456+00:00",
            "backfill__2026-01-05T00:00:00+00:00",
            "by hand, für Jörg",
            "a" * 250,
            "a" * 249 + "b",
        ]
        runs = [run_of(self.dag, run_id, {"name": "n" * 5}) for run_id in given]
        self.assertEqual(len(set(runs)), len(given))
        for run in runs:
            self.assertRegex(run, "^" + RUN_ID.pattern + "$")

    def test_runs_without_a_logical_date(self):
        """Those that Airflow 3 starts for an asset, by hand or for a trigger."""
        for version in stub.VERSIONS:
            dag = load(version).dag
            dated = dag.context(SCHEDULED, logical_date=datetime(2026, 1, 5, tzinfo=timezone.utc))
            undated = dag.context(SCHEDULED)
            self.assertEqual("logical_date" in undated, version.major == 2)
            for task in dag.tasks:
                self.assertEqual(
                    task.rendered(dag.environment(), dated), task.rendered(dag.environment(), undated))
        with self.assertRaisesRegex(Exception, "'ts_nodash' is undefined"):
            dag.environment().from_string("{{ ts_nodash }}").render(undated)

    def test_everything_is_rendered(self):
        sizes = {"executors": 3, "executor_cores": 5, "conf": {}}
        params = {name: "x-" + name for name in self.dag.arguments["params"]} | {"format": "peft"} | sizes
        for task, arguments in render(self.dag, SCHEDULED, params).items():
            self.assertNotIn("{{", json.dumps(arguments), task)
            self.assertEqual(arguments["application"], "x-jar")
            self.assertEqual(arguments["java_class"], "io.guilomo.spark.cli.Main")
            self.assertEqual(arguments["conf"]["spark.dynamicAllocation.enabled"], "false")
            self.assertEqual(arguments["conf"]["spark.speculation"], "false")
            for environment in ("executorEnv", "yarn.appMasterEnv", "kubernetes.driverEnv"):
                self.assertEqual(
                    arguments["conf"][f"spark.{environment}.GLIBC_TUNABLES"], "glibc.malloc.hugetlb=1"
                )
            self.assertEqual(arguments["packages"], "x-packages")
            self.assertEqual("cluster.workers=3" in arguments["application_args"], task != "publish")
            self.assertEqual(arguments["conf"]["spark.executor.instances"], "3")
            self.assertEqual(arguments["conf"]["spark.executor.cores"], "5")
            # One task for each executor.
            self.assertEqual(arguments["conf"]["spark.task.cpus"], "5")
            self.assertEqual(arguments["conf"]["spark.cores.max"], "15")
            for process, off_heap in (("driver", "x-driver_off_heap"), ("executor", "x-off_heap")):
                settings = {
                    name.removeprefix(f"spark.{process}."): value
                    for name, value in arguments["conf"].items()
                    if name.startswith(f"spark.{process}.")
                }
                self.assertEqual(settings["memory"], f"x-{process}_memory")
                # A container with less memory is killed before the limit is reached.
                self.assertEqual(settings["memoryOverhead"], off_heap)
                self.assertIn("-Dorg.bytedeco.javacpp.maxBytes=" + off_heap, settings["extraJavaOptions"].split())

    def test_every_version_submits_to_every_kind_of_cluster(self):
        anywhere = [
            stub.Connection("yarn"),
            stub.Connection("yarn", "client"),
            stub.Connection("spark://master:7077", "cluster"),
            stub.Connection("k8s://https://kubernetes:443", "cluster"),
            stub.Connection("local[2]"),
        ]
        for version in stub.VERSIONS:
            for connection in anywhere:
                modes = self.deploy_modes(version, False, connection)
                self.assertEqual(modes, [connection.deploy_mode] * 3 + ["client"], version)
            for mode in (None, "client", "cluster"):
                connection = stub.Connection("yarn", mode, RESOURCE_MANAGER)
                self.assertEqual(self.deploy_modes(version, True, connection), ["cluster"] * 3 + ["client"], version)

    def test_yarn_cluster_mode_is_refused_where_a_retry_would_not_find_the_application(self):
        for version in stub.VERSIONS:
            connection = stub.Connection("yarn", "cluster", RESOURCE_MANAGER)
            if version.durable:
                with self.assertRaisesRegex(ValueError, "requires yarn_track_via_rm_api=True"):
                    self.deploy_modes(version, False, connection)
            else:
                self.assertEqual(self.deploy_modes(version, False, connection), ["cluster"] * 3 + ["client"])
            if version.tracks_yarn:
                with self.assertRaisesRegex(ValueError, "yarn_resourcemanager_webapp_address"):
                    self.deploy_modes(version, True, stub.Connection("yarn", "cluster"))

    def deploy_modes(self, version, cluster, connection):
        dag = load(version, cluster).dag
        modes = []
        for task in dag.tasks:
            command = task.execute(dag.environment(), dag.context(SCHEDULED), connection)
            self.assertEqual(command[:3], ["spark-submit", "--master", connection.master])
            modes.append(command[command.index("--deploy-mode") + 1] if "--deploy-mode" in command else None)
            self.assertNotIn("--packages", command)
            waits = "spark.yarn.submit.waitAppCompletion=false" not in command
            self.assertEqual(waits, not (cluster and version.tracks_yarn and modes[-1] == "cluster"))
        return modes

    def test_the_last_task_publishes_an_asset(self):
        for version in stub.VERSIONS:
            module = load(version)
            *others, publish = module.dag.tasks
            self.assertEqual([task.arguments.get("outlets") for task in others], [None] * 3)
            (asset,) = publish.arguments["outlets"]
            self.assertEqual(asset.uri, "x-guilomo://published-adapter")
            context = module.dag.context(SCHEDULED, {"publish": "s3a://adapters", "format": "peft"})
            context["params"] |= {"conf": {"spark.yarn.queue": "nights", "spark.task.cpus": 2}, "packages": "a:b:1"}
            command = publish.execute(module.dag.environment(), context, stub.Connection())
            # What a DAG run adds counts, also where the DAG has set something else.
            self.assertIn("spark.yarn.queue=nights", command)
            self.assertEqual([each for each in command if each.startswith("spark.task.")], ["spark.task.cpus=2"])
            self.assertEqual(command[command.index("--packages") + 1], "a:b:1")
            self.assertEqual(
                context["outlet_events"][asset].extra,
                {"run_id": run_of(module.dag, SCHEDULED), "directory": command[-1], "format": "peft"},
            )
            self.assertTrue(command[-1].startswith("s3a://adapters/weekly-scheduled__2026"))

    def test_the_stub_refuses_what_airflow_refuses(self):
        for version in stub.VERSIONS:
            for unknown in ({"master": "local"}, {} if version.tracks_yarn else {"yarn_track_via_rm_api": True}):
                operator = stub.of_version(version, stub.SparkSubmit, version.spark_submit)
                with self.dag:
                    if unknown:
                        with self.assertRaisesRegex(version.refusal, "Invalid arguments were passed"):
                            operator(task_id="a", **unknown)
                    with self.assertRaisesRegex(version.refusal, "Use keyword arguments"):
                        operator("a")
            with self.assertRaisesRegex(TypeError, "unexpected keyword argument"):
                stub.Dag(version, dag_id="a", params={}, **({"fail_fast" if version.major == 2 else "fail_stop": True}))
        with self.assertRaisesRegex(ValueError, "does not match"):
            self.dag.context(SCHEDULED, {"name": "-"})
        with self.assertRaisesRegex(ValueError, "less than the minimum of 1"):
            self.dag.context(SCHEDULED, {"executors": 0})
        with self.assertRaisesRegex(ValueError, "is not of type 'object'"):
            self.dag.context(SCHEDULED, {"conf": "spark.yarn.queue=nights"})
        with self.assertRaisesRegex(ValueError, "is not one of"):
            self.dag.context(SCHEDULED, {"format": "pickle"})


@unittest.skipUnless(importlib.util.find_spec("airflow"), "Airflow is not installed")
class TestWithAirflow(unittest.TestCase):
    """`airflow` on a copy of the DAG, with a `spark-submit` that writes its arguments down."""

    def setUp(self):
        self.home = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.home)
        (self.home / "dags").mkdir()
        shutil.copy(DAG_FILE, self.home / "dags")
        submit = self.home / "spark-submit"
        submit.write_text('#!/bin/sh\nprintf "%s\\n" "$*" >> "$AIRFLOW_HOME/submitted"\n', encoding="utf-8")
        submit.chmod(0o755)
        self.environment = os.environ | {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps(
                {"conn_type": "spark", "host": "local[1]", "extra": {"deploy-mode": "client"}}
            ),
            "PATH": f"{self.home}{os.pathsep}{os.environ['PATH']}",
        }
        self.airflow("db", "migrate")

    def airflow(self, *arguments):
        ended = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment, cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.assertEqual(ended.returncode, 0, ended.stdout)
        return ended.stdout

    def test_it_reads_and_runs_the_dag(self):
        self.assertNotIn("guilomo_dag.py", self.airflow("dags", "list-import-errors"))
        self.airflow("dags", "test", "guilomo")
        submitted = (self.home / "submitted").read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(submitted), 4)
        runs = {run for line in submitted for run in re.findall(r"run\.id=(\S+)|/published/(\S+)", line)}
        runs = {one or other for one, other in runs}
        self.assertEqual(len(runs), 1, submitted)
        self.assertRegex(runs.pop(), "^" + RUN_ID.pattern + "$")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--render"]:
        given = json.loads(sys.argv[2])
        json.dump(render(load().dag, given["run_id"], given["params"]), sys.stdout)
    else:
        unittest.main()
