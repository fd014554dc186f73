"""Adapters on models of transformers, and what the two make of a text."""

import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional

# Where the models of the first releases keep their modules, whose manifests do not tell.
LLAMA = {
    "base": "model",
    "layers": "layers",
    "modules": {
        "q_proj": "self_attn.q_proj",
        "k_proj": "self_attn.k_proj",
        "v_proj": "self_attn.v_proj",
        "o_proj": "self_attn.o_proj",
        "gate_proj": "mlp.gate_proj",
        "up_proj": "mlp.up_proj",
        "down_proj": "mlp.down_proj",
    },
}
BERT = {
    "base": "bert",
    "layers": "encoder.layer",
    "modules": {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "attention_output": "attention.output.dense",
        "intermediate": "intermediate.dense",
        "output": "output.dense",
    },
}


def top_k_weights(logits, x, tensors, top_k):
    """The softmax of the logits, cut to its top k and renormalised to sum 1."""
    p = functional.softmax(logits, dim=-1, dtype=torch.float32)
    best, chosen = p.topk(min(top_k, p.shape[-1]), dim=-1)
    return torch.zeros_like(p).scatter(-1, chosen, best / best.sum(-1, keepdim=True))


def dense_weights(logits, x, tensors, top_k):
    """The softmax of the logits."""
    return functional.softmax(logits, dim=-1, dtype=torch.float32)


def sparsegen_weights(logits, x, tensors, top_k):
    """The projection of the logits onto the simplex that leaves as many experts as each token's
    lambda says (arXiv 2509.25684)."""
    hidden = functional.relu(functional.linear(x, tensors["hidden_weight"], tensors["hidden_bias"]))
    z = functional.linear(hidden, tensors["output_weight"], tensors["output_bias"])
    rest = 1 - (functional.logsigmoid(z.float()) + 0.99)  # [..., 1]
    u = logits.float()
    largest = u.sort(-1, descending=True).values
    sums = largest.cumsum(-1)
    counts = torch.arange(1, u.shape[-1] + 1, device=u.device)
    used = (rest + counts * largest > sums).sum(-1, keepdim=True).clamp(min=1)
    threshold = (sums.gather(-1, used - 1) - rest) / used
    return (u - threshold).clamp(min=0) / rest


# Weights [..., experts] by the plan's "routing": of the logits and the input of a module, the
# router's tensors by the ends of their names, and the plan's "top-k".
ROUTINGS = {"top-k": top_k_weights, "dense": dense_weights, "sparsegen": sparsegen_weights}

# The names of a module's A by the plan's "sharing": of the module's and its experts' prefixes.
SHARINGS = {
    "none": lambda module, experts: [expert + "A" for expert in experts],
    "shared-a": lambda module, experts: [module + "A"],
}


class LoraMoe(nn.Module):
    """y = linear(x) + sum over the experts e of p_e * s_e * B_e A_e x, where p are the weights that
    the routing makes of the router's logits.

    a: A of each expert; or of all together, of whose rows an expert of rank r uses the first r.
    """

    def __init__(self, linear, a, b, router, scalings, routing, top_k):
        super().__init__()
        ranks = torch.tensor([expert.shape[1] for expert in b])
        self.linear = linear
        self.routing, self.top_k = ROUTINGS[routing], top_k
        self.router_names = list(router)
        for name, tensor in router.items():
            self.register_buffer(name, tensor.to(linear.weight))
        self.register_buffer("a", torch.cat(a, 0).to(linear.weight))  # [rows, in]
        self.register_buffer("b", torch.cat(b, 1).to(linear.weight))  # [out, sum of ranks]
        self.register_buffer("scalings", torch.tensor(scalings, device=linear.weight.device))
        expert_of_column = torch.repeat_interleave(torch.arange(len(b)), ranks)
        self.register_buffer("expert_of_column", expert_of_column.to(linear.weight.device))
        row_of_column = torch.arange(len(expert_of_column))
        if len(a) < len(b):
            row_of_column = torch.cat([torch.arange(rank) for rank in ranks.tolist()])
        self.register_buffer("row_of_column", row_of_column.to(linear.weight.device))

    def forward(self, x):
        tensors = {name: getattr(self, name) for name in self.router_names}
        logits = functional.linear(x, tensors["router"])  # [..., experts]
        p = self.routing(logits, x, tensors, self.top_k)
        factors = (p * self.scalings)[..., self.expert_of_column].to(x.dtype)
        h = functional.linear(x, self.a)[..., self.row_of_column]  # [..., sum of ranks]
        return self.linear(x) + functional.linear(h * factors, self.b)


class Classifier(nn.Module):
    """Logits of the adapter's labels, from the mean of the tokens, the first or the last one."""

    def __init__(self, backbone, linear, pooling):
        super().__init__()
        self.backbone, self.linear, self.pooling = backbone, linear, pooling

    @property
    def device(self):
        return self.linear.weight.device

    def forward(self, input_ids, attention_mask=None, **inputs):
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        states = self.backbone(input_ids, attention_mask=attention_mask, **inputs).last_hidden_state
        if self.pooling == "mean":
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            pooled = (states * mask).sum(1) / mask.sum(1)
        else:
            positions = torch.arange(states.shape[1], device=states.device)
            read = (positions * attention_mask).argmax(1)
            if self.pooling == "cls":
                read = attention_mask.argmax(1)
            pooled = states[torch.arange(states.shape[0], device=states.device), read]
        return SimpleNamespace(logits=self.linear(pooled))


def load(model, directory, **options):
    """A model with an adapter, ready for inference.

    model: directory or hub name of the model that the adapter was trained with, or such a model of
        transformers: of a causal language model's class, for a classifier of AutoModel's, and for
        one that reads the checkpoint's own head of AutoModelForSequenceClassification's. It is
        changed in place.
    directory: of an adapter, as finetune keeps it and export --format guilomo copies it; a local one.
    options: what from_pretrained takes, such as torch_dtype and device_map, where the model is
        loaded here.

    Returns the model, or for a classifier an object whose call returns logits. Its guilomo_manifest
    is what generate and classify read. Raises ValueError, with what cannot be done, if the two do
    not fit.
    """
    about = manifest(directory)
    classifies = about["task"] == "classification"
    if isinstance(model, (str, Path)):
        model = auto_class(about).from_pretrained(str(model), **options)
    loaded = (load_classifier if classifies else load_adapter)(model, directory)
    loaded.guilomo_manifest = about
    return loaded


def auto_class(about):
    """The class of transformers that loads the model of an adapter."""
    import transformers

    if about["task"] != "classification":
        return transformers.AutoModelForCausalLM
    if about["pooling"] == "head":
        return transformers.AutoModelForSequenceClassification
    return transformers.AutoModel


def load_adapter(model, directory):
    """Wraps the modules in the adapter's plan in place and returns the model, ready for inference."""
    about, tensors = read(directory)
    plan = about["plan"]
    routing, top_k = plan.get("routing", "top-k"), plan["top-k"]
    if routing not in ROUTINGS:
        raise ValueError(f"Cannot route by {routing}: known is {', '.join(ROUTINGS)}")
    sharing = plan.get("sharing", "none")
    if sharing not in SHARINGS:
        raise ValueError(f"Cannot share {sharing}: known is {', '.join(SHARINGS)}")
    scalings = {tensor["name"]: tensor.get("scaling") for tensor in about["tensors"]}
    modules = dict(model.named_modules())
    for planned in plan["modules"]:
        found = find(modules, about, planned)
        prefix = f"layers.{planned['layer']}.{planned['module']}."
        experts = [f"{prefix}experts.{e}." for e in range(len(planned["ranks"]))]
        b = [tensors[expert + "B"] for expert in experts]
        a = [tensors[name] for name in SHARINGS[sharing](prefix, experts)]
        s = [scalings[expert + "B"] for expert in experts]
        router = {
            name[len(prefix):]: tensor
            for name, tensor in tensors.items()
            if name.startswith(prefix) and not name.endswith((".A", ".B"))
        }
        shared = f"thresholds.{a[0].shape[1]}."
        router |= {
            name[len(shared):].replace(".", "_"): tensor
            for name, tensor in tensors.items()
            if name.startswith(shared)
        }
        check(found, modules[found], (b[0].shape[0], a[0].shape[1]))
        wrapped = LoraMoe(modules[found], a, b, router, s, routing, top_k)
        parent, _, child = found.rpartition(".")
        setattr(modules[parent], child, wrapped)
    return model.eval()


def check(name, linear, shape):
    """Raises ValueError unless a module is a linear layer of that shape with readable weights."""
    if isinstance(linear, LoraMoe):
        raise ValueError(f"Cannot put a second adapter on {name}: load the model again")
    weight = getattr(linear, "weight", None)
    if weight is None or not weight.is_floating_point():
        raise ValueError(f"Cannot put an adapter on {name}: its weight is not of a floating-point type")
    if tuple(weight.shape) != shape:
        raise ValueError(
            f"Cannot put the adapter on {name}: the model has {tuple(weight.shape)}, the adapter {shape};"
            " is it the model that the adapter was trained with?"
        )


def find(modules, about, planned):
    """The name of a planned module in the model, whether its class is the one with a head
    (model.language_model.layers...) or a part of it (language_model.layers..., layers...)."""
    first = LLAMA if planned["module"] in LLAMA["modules"] else BERT
    paths = about.get("paths", first)
    path = f"{paths['layers']}.{planned['layer']}.{paths['modules'][planned['module']]}"
    base = paths["base"].split(".")
    for start in range(len(base) + 1):
        name = ".".join(base[start:] + [path])
        found = [each for each in modules if each == name or each.endswith("." + name)]
        if found:
            break
    if len(found) != 1:
        raise ValueError(f"Cannot find {path} once in the model: found {found}")
    return found[0]


def load_classifier(model, directory):
    """The model with the adapter and its classifier: a call returns an object with logits.
    manifest.json lists the labels in order."""
    about, tensors = read(directory)
    model = load_adapter(model, directory)
    weight = tensors["classifier.weight"].to(model.device, model.dtype)
    bias = tensors.get("classifier.bias")
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    linear.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias.to(weight), requires_grad=False)
    if about["pooling"] != "head":
        return Classifier(model, linear, about["pooling"]).eval()
    path = about["paths"]["classifier"]
    if path not in dict(model.named_modules()):
        raise ValueError(
            f"Cannot find {path} in the model: the adapter reads it through the classification"
            " head of the checkpoint, so load it with AutoModelForSequenceClassification"
        )
    parent, _, child = path.rpartition(".")
    setattr(model.get_submodule(parent), child, linear)
    model.config.num_labels = model.num_labels = weight.shape[0]
    return model.eval()


def prompt(about, tokenizer, instruction, context=""):
    """The text that asks for a response to an instruction, as training wrote it, and whether it has
    its special tokens already.

    about: the manifest of the adapter.
    context: what the instruction is about; empty for none.
    """
    template = about.get("prompt-template")
    if template is None:
        raise ValueError(f"Cannot write a prompt for task {about['task']}: it has no prompt template")
    chat = template.get("chat")
    if chat and chat.get("always"):
        return chat_text(chat, tokenizer, [turn("user", instruction, context)], True), True
    form = template["with-input" if context else "without-input"]
    values = {"instruction": instruction, "input": context}
    return re.sub(r"\{(instruction|input)\}", lambda found: values[found.group(1)], form), False


def turn(role, instruction, context=""):
    return {"role": role, "content": instruction + ("\n\n" + context if context else "")}


def chat_text(chat, tokenizer, messages, asks):
    names = {token["name"]: token["text"] for token in chat.get("tokens", [])}
    return tokenizer.apply_chat_template(
        messages,
        chat_template=chat["template"],
        tokenize=False,
        add_generation_prompt=asks,
        **names,
    )


def stop_tokens(model, tokenizer):
    """Tokens that end a response: those of the model's files, and what ends a turn of its chat."""
    stops = set()
    config = getattr(model, "generation_config", None)
    for given in (getattr(config, "eos_token_id", None), tokenizer.eos_token_id):
        stops.update(given if isinstance(given, (list, tuple)) else [given])
    end = turn_end(model.guilomo_manifest, tokenizer)
    if end:
        ids = tokenizer(end, add_special_tokens=False)["input_ids"]
        stops.update(ids if len(ids) == 1 else [])
    return sorted(stop for stop in stops if stop is not None)


def turn_end(about, tokenizer):
    """What ends the assistant's turn in a chat; empty where there is none."""
    chat = (about.get("prompt-template") or {}).get("chat")
    if not chat:
        return ""
    messages = [turn("user", "Hello"), turn("assistant", "Hello")]
    return chat_text(chat, tokenizer, messages, False).rpartition("Hello")[2].strip()


def cut(about, tokenizer, text):
    """The response that a text begins with: up to the end of its turn, or to a next response."""
    for end in (turn_end(about, tokenizer), about["prompt-template"]["response-marker"]):
        text = text.partition(end)[0] if end else text
    return text.strip()


def generate(model, tokenizer, instruction, context="", max_new_tokens=64, **options):
    """The response of a model with an adapter to an instruction: greedy, unless options of
    transformers' generate say otherwise.

    model: what load returned.
    """
    text, special = prompt(model.guilomo_manifest, tokenizer, instruction, context)
    ids = tokenizer(text, add_special_tokens=not special, return_tensors="pt")["input_ids"]
    settings = {"eos_token_id": stop_tokens(model, tokenizer) or None, **options}
    response = continued(model, ids.to(model.device), max_new_tokens, **settings)
    return cut(model.guilomo_manifest, tokenizer, tokenizer.decode(response, skip_special_tokens=True))


def continued(model, ids, max_new_tokens, **options):
    """Tokens that follow a prompt [1, tokens]; greedy, unless options say otherwise."""
    greedy = {"do_sample": False, "num_beams": 1, "repetition_penalty": 1.0, "pad_token_id": 0}
    with torch.no_grad():
        whole = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            **{**greedy, **options},
        )
    return whole[0, ids.shape[1]:].tolist()


def classify(model, tokenizer, text, pair=None):
    """The probability of each label for a text or a pair of texts, most likely first.

    model: what load returned.
    pair: the second text; None or blank for a single one.
    """
    about = model.guilomo_manifest
    texts = (text, pair) if (pair or "").strip() else (text,)
    tokens = tokenizer(*texts, truncation=True, max_length=about["max-length"], return_tensors="pt")
    with torch.no_grad():
        logits = model(**tokens.to(model.device)).logits[0]
    labelled = zip(about["labels"], functional.softmax(logits.float(), -1).tolist())
    return dict(sorted(labelled, key=lambda each: -each[1]))


def manifest(directory):
    """What manifest.json tells of an adapter: its plan, task, labels, pooling and templates."""
    if "://" in str(directory):
        raise ValueError(
            f"Cannot read the adapter {directory}: copy it to a local directory first, with"
            " hadoop fs -get or aws s3 cp --recursive"
        )
    file = Path(directory) / "manifest.json"
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"Cannot read the adapter {directory}: it has no manifest.json") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"Cannot read the adapter {directory}: manifest.json is not JSON ({error})") from None
    if about.get("format-version") != 1:
        raise ValueError(
            f"Cannot read the adapter {directory}: format-version is {about.get('format-version')},"
            " this release reads 1"
        )
    return about


def read(directory):
    about = manifest(directory)
    file = Path(directory) / "adapter.safetensors"
    try:
        data = bytearray(file.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"Cannot read the adapter {directory}: it has no {file.name}") from None
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise ValueError(f"Cannot read the adapter {directory}: {file.name} is not that of its manifest")
    return about, parsed(data)


def safetensors(file):
    """The float32 tensors of a file, without the library of that name."""
    return parsed(bytearray(Path(file).read_bytes()))


def parsed(data):
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(
                data, dtype=torch.float32, count=(end - begin) // 4, offset=start + begin
            )
            tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors
