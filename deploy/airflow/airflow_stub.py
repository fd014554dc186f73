"""Stands in for the parts of Airflow that guilomo_dag.py uses, and refuses what they refuse.

Arguments, checks and the names in a template's context are those of apache/airflow's sources: Airflow 2.10 with the
newest Spark provider that supports it (5.3), Airflow 3.0 to 3.2, and 3.3, where an operator can be durable, with the
newest provider of 2026.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import types
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import jinja2.sandbox

SPARK_SUBMIT_5_3 = """application conf conn_id files py_files archives driver_class_path jars java_class packages
    exclude_packages repositories total_executor_cores executor_cores executor_memory driver_memory keytab principal
    proxy_user name num_executors status_poll_interval application_args env_vars verbose spark_binary properties_file
    yarn_queue deploy_mode use_krb5ccache openlineage_inject_parent_job_info openlineage_inject_transport_info""".split()
SPARK_SUBMIT = SPARK_SUBMIT_5_3 + """post_submit_commands track_driver_via_k8s_api yarn_track_via_rm_api yarn_rm_auth
    reconnect_on_retry durable""".split()
TEMPLATED = """application conf files py_files jars driver_class_path packages exclude_packages keytab principal
    proxy_user name application_args env_vars post_submit_commands properties_file""".split()

OPERATOR_2 = """task_id owner email email_on_retry email_on_failure retries retry_delay retry_exponential_backoff
    max_retry_delay start_date end_date depends_on_past ignore_first_depends_on_past
    wait_for_past_depends_before_skipping wait_for_downstream dag params default_args priority_weight weight_rule queue
    pool pool_slots sla execution_timeout on_execute_callback on_failure_callback on_success_callback on_retry_callback
    on_skipped_callback pre_execute post_execute trigger_rule resources run_as_user map_index_template
    max_active_tis_per_dag max_active_tis_per_dagrun executor executor_config do_xcom_push multiple_outputs inlets
    outlets task_group doc doc_md doc_json doc_yaml doc_rst task_display_name logger_name
    allow_nested_operators""".split()
OPERATOR_3 = OPERATOR_2 + "retry_policy depends_on_previous_tasks render_template_as_native_obj".split()

DAG_BOTH = """dag_id description schedule start_date end_date template_searchpath template_undefined
    user_defined_macros user_defined_filters default_args max_active_tasks max_active_runs
    max_consecutive_failed_dag_runs dagrun_timeout sla_miss_callback catchup on_success_callback on_failure_callback
    doc_md params access_control is_paused_upon_creation jinja_environment_kwargs render_template_as_native_obj tags
    owner_links auto_register dag_display_name""".split()
DAG_2 = DAG_BOTH + "schedule_interval timetable full_filepath concurrency default_view orientation fail_stop".split()
DAG_3 = DAG_BOTH + "deadline fail_fast task_group disable_bundle_versioning".split()


class AirflowException(Exception):
    """Airflow's own."""


@dataclass(frozen=True)
class Version:
    """A version of Airflow with its Spark provider."""

    name: str
    major: int
    durable: bool
    spark_submit: tuple[str, ...]

    @property
    def refusal(self):
        return AirflowException if self.major == 2 else TypeError

    @property
    def tracks_yarn(self):
        return "yarn_track_via_rm_api" in self.spark_submit


VERSIONS = [
    Version("2.10", 2, False, tuple(SPARK_SUBMIT_5_3)),
    Version("2.11", 2, False, tuple(SPARK_SUBMIT)),
    Version("3.0", 3, False, tuple(SPARK_SUBMIT)),
    Version("3.3", 3, True, tuple(SPARK_SUBMIT)),
]


@dataclass(frozen=True)
class Connection:
    """A Spark connection."""

    master: str = "yarn"
    deploy_mode: str | None = None
    resource_manager: str | None = None


class Param:
    """A parameter, whose value must match its JSON schema."""

    def __init__(self, default=None, description=None, **schema):
        self.default = default
        self.schema = schema

    def validate(self, value):
        types_of = {"string": str, "integer": int, "object": dict, "null": type(None)}
        kinds = self.schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not isinstance(value, tuple(types_of[kind] for kind in kinds)):
            raise ValueError(f"{value!r} is not of type {', '.join(map(repr, kinds))}")
        if "minimum" in self.schema and value < self.schema["minimum"]:
            raise ValueError(f"{value!r} is less than the minimum of {self.schema['minimum']!r}")
        if "enum" in self.schema and value not in self.schema["enum"]:
            raise ValueError(f"{value!r} is not one of {self.schema['enum']}")
        if "pattern" in self.schema and not re.search(self.schema["pattern"], value):
            raise ValueError(f"{value!r} does not match {self.schema['pattern']!r}")
        return value


def check_uri(uri):
    if not uri or uri.isspace() or not uri.isascii():
        raise ValueError(f"Cannot use {uri!r} as a URI")
    if urlsplit(uri).scheme.lower() == "airflow":
        raise ValueError("Asset scheme 'airflow' is reserved")


class Dataset:
    """Airflow 2."""

    def __init__(self, uri, extra=None):
        check_uri(uri)
        self.uri = uri


class Asset:
    """Airflow 3."""

    def __init__(self, name=None, uri=None, *, group=None, extra=None, watchers=None):
        if name is None and uri is None:
            raise TypeError("Asset() requires either 'name' or 'uri'")
        self.name = uri if name is None else name
        self.uri = name if uri is None else uri
        check_uri(self.uri)


class OutletEvents(dict):
    """The events of a task's outlets, by asset alone."""

    def __missing__(self, key):
        if not isinstance(key, (Asset, Dataset)):
            raise TypeError(f"Cannot use {key!r}: expected an asset")
        self[key] = types.SimpleNamespace(extra={})
        return self[key]


class Dag:
    """Records its tasks in the order of their creation."""

    current = None

    def __init__(self, version, **arguments):
        unknown = set(arguments) - set(DAG_2 if version.major == 2 else DAG_3)
        if unknown:
            raise TypeError(f"DAG.__init__() got an unexpected keyword argument {sorted(unknown)}")
        if any(len(tag) > 100 for tag in arguments.get("tags", ())):
            raise ValueError("tag cannot be longer than 100 characters")
        for param in arguments["params"].values():
            param.validate(param.default)
        self.version = version
        self.arguments = arguments
        self.tasks = []

    def __enter__(self):
        Dag.current = self
        return self

    def __exit__(self, *_):
        Dag.current = None

    def environment(self):
        environment = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined, cache_size=0)
        environment.globals.update(self.arguments.get("user_defined_macros") or {})
        environment.filters.update(self.arguments.get("user_defined_filters") or {})
        return environment

    def context(self, run_id, params=None, *, logical_date=None):
        """What a task of a DAG run finds; Airflow 3 gives a run no logical date unless it was scheduled for one."""
        values = {name: param.default for name, param in self.arguments["params"].items()}
        for name, value in (params or {}).items():
            values[name] = self.arguments["params"][name].validate(value)
        context = {
            "dag_run": types.SimpleNamespace(run_id=run_id, logical_date=logical_date),
            "run_id": run_id,
            "params": values,
            "outlet_events": OutletEvents(),
        }
        if self.version.major == 2 and logical_date is None:
            logical_date = datetime(2026, 1, 7, tzinfo=timezone.utc)
        if logical_date is not None:
            context.update(
                logical_date=logical_date,
                ds=logical_date.strftime("%Y-%m-%d"),
                ts=logical_date.isoformat(),
                ts_nodash=logical_date.strftime("%Y%m%dT%H%M%S"),
            )
        return context


class SparkSubmit:
    """SparkSubmitOperator with what it and its hook check."""

    def __init__(self, version, **arguments):
        if Dag.current is not None:
            arguments = {**Dag.current.arguments.get("default_args", {}), **arguments}
        known = {*version.spark_submit, *(OPERATOR_2 if version.major == 2 else OPERATOR_3)}
        unknown = {name: value for name, value in arguments.items() if name not in known}
        if unknown:
            raise version.refusal(
                f"Invalid arguments were passed to SparkSubmitOperator (task_id: {arguments.get('task_id')}). "
                f"Invalid arguments were:\n**kwargs: {unknown}"
            )
        if not re.fullmatch(r"[\w.-]{1,250}", arguments["task_id"]):
            raise version.refusal(f"Cannot use {arguments['task_id']!r} as a key")
        if not isinstance(arguments.get("execution_timeout", timedelta()), timedelta):
            raise ValueError("execution_timeout must be timedelta object")
        if arguments.get("durable") is not None and not version.durable:
            warnings.warn("`durable` has no effect on Airflow versions below 3.3.", UserWarning, stacklevel=3)
        self.version = version
        self.arguments = arguments
        self.downstream = []
        Dag.current.tasks.append(self)

    @property
    def task_id(self):
        return self.arguments["task_id"]

    def __rshift__(self, other):
        self.downstream.append(other.task_id)
        return other

    def rendered(self, environment, context):
        def text(value):
            if isinstance(value, str):
                return environment.from_string(value).render(context)
            if isinstance(value, list):
                return [text(entry) for entry in value]
            if isinstance(value, dict):
                return {name: text(entry) for name, entry in value.items()}
            return value

        return {
            name: text(value) if name in TEMPLATED else value
            for name, value in self.arguments.items()
            if name in self.version.spark_submit
        }

    def execute(self, environment, context, connection):
        """The command line that it runs, with what precedes it, the checks of operator and hook, and what follows its
        end."""
        arguments = self.rendered(environment, context)
        # Airflow hands out a copy of the operator, whose rendered arguments are its attributes.
        task = types.SimpleNamespace(conf=dict(arguments.get("conf") or {}))
        if before := self.arguments.get("pre_execute"):
            before({**context, "ti": types.SimpleNamespace(task=task)})
        conf = task.conf
        deploy_mode = arguments.get("deploy_mode") or connection.deploy_mode
        on_yarn = "yarn" in connection.master
        tracks = arguments.get("yarn_track_via_rm_api", False)
        durable = self.version.durable and arguments.get("durable") is not False
        if on_yarn and deploy_mode == "cluster" and durable and not tracks:
            raise ValueError("YARN cluster mode with durable=True requires yarn_track_via_rm_api=True.")
        if tracks:
            if not on_yarn:
                raise ValueError("`yarn_track_via_rm_api=True` requires Spark master to be YARN.")
            if deploy_mode != "cluster":
                raise ValueError(
                    f"`yarn_track_via_rm_api=True` requires `deploy_mode='cluster'`; got {deploy_mode!r}."
                )
            if connection.resource_manager is None:
                raise ValueError("`yarn_track_via_rm_api=True` requires `yarn_resourcemanager_webapp_address`.")
            if conf.setdefault("spark.yarn.submit.waitAppCompletion", "false") != "false":
                raise ValueError("`spark.yarn.submit.waitAppCompletion=false` is required")
        command = ["spark-submit", "--master", connection.master]
        for name, value in conf.items():
            command += ["--conf", f"{name}={value}"]
        if arguments.get("packages"):
            command += ["--packages", arguments["packages"]]
        command += ["--name", arguments["name"], "--class", arguments["java_class"]]
        if deploy_mode:
            command += ["--deploy-mode", deploy_mode]
        if after := self.arguments.get("post_execute"):
            after(context, None)
        return [*command, arguments["application"], *arguments["application_args"]]


def of_version(version, kind, names):
    """A class whose constructor has the arguments of that version, by name."""

    def __init__(self, *positional, **arguments):
        if positional:
            raise version.refusal("Use keyword arguments when initializing operators")
        kind.__init__(self, version, **arguments)

    __init__.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names]
        + [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]
    )
    return type(kind.__name__, (kind,), {"__init__": __init__})


@contextlib.contextmanager
def installed(version):
    """Makes the imports of a DAG file find that version."""
    spark = "airflow.providers.apache.spark"
    dag = of_version(version, Dag, DAG_2 if version.major == 2 else DAG_3)
    modules = {
        "airflow": {"DAG": dag} if version.major == 2 else {},
        "airflow.providers": {},
        "airflow.providers.apache": {},
        spark: {},
        spark + ".operators": {},
        spark
        + ".operators.spark_submit": {"SparkSubmitOperator": of_version(version, SparkSubmit, version.spark_submit)},
        # Without members, importing it fails as importing what is not there does.
        "airflow.sdk": {},
    }
    if version.major == 2:
        modules |= {
            "airflow.datasets": {"Dataset": Dataset},
            "airflow.models": {},
            "airflow.models.param": {"Param": Param},
        }
    else:
        modules["airflow.sdk"] = {"DAG": dag, "Asset": Asset, "Param": Param}
    before = {name: sys.modules.get(name) for name in modules}
    try:
        for name, members in modules.items():
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(members)
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
