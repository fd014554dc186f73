"""Puts an adapter from GuiLoMo on Spark on a Hugging Face model: plain PyTorch, no PEFT, no JVM.

    decoder = load_adapter(AutoModelForCausalLM.from_pretrained(path), "runs/RUN_ID/adapter")
    classifier = load_classifier(AutoModel.from_pretrained(path), "runs/RUN_ID/adapter")

An adapter that reads its backbone through the classification head of the checkpoint (the manifest
says "pooling": "head") needs AutoModelForSequenceClassification in place of AutoModel.

The model must be the backbone that the adapter was trained on, in a floating-point type; this is
not checked. For inference only.
"""

import json
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


# Weights [..., experts] by the plan's "routing": of the logits and the input of a module, the
# router's tensors by the last word of their names, and the plan's "top-k".
ROUTINGS = {"top-k": top_k_weights}


class LoraMoe(nn.Module):
    """y = linear(x) + sum over the experts e of p_e * s_e * B_e A_e x, where p are the weights that
    the routing makes of the router's logits."""

    def __init__(self, linear, a, b, router, scalings, routing, top_k):
        super().__init__()
        ranks = torch.tensor([expert.shape[0] for expert in a])
        self.linear = linear
        self.routing, self.top_k = ROUTINGS[routing], top_k
        self.router_names = list(router)
        for name, tensor in router.items():
            self.register_buffer(name, tensor.to(linear.weight))
        self.register_buffer("a", torch.cat(a, 0).to(linear.weight))  # [sum of ranks, in]
        self.register_buffer("b", torch.cat(b, 1).to(linear.weight))  # [out, sum of ranks]
        self.register_buffer("scalings", torch.tensor(scalings, device=linear.weight.device))
        expert_of_column = torch.repeat_interleave(torch.arange(len(a)), ranks)
        self.register_buffer("expert_of_column", expert_of_column.to(linear.weight.device))

    def forward(self, x):
        tensors = {name: getattr(self, name) for name in self.router_names}
        logits = functional.linear(x, tensors["router"])  # [..., experts]
        p = self.routing(logits, x, tensors, self.top_k)
        factors = (p * self.scalings)[..., self.expert_of_column].to(x.dtype)
        return self.linear(x) + functional.linear(functional.linear(x, self.a) * factors, self.b)


class Classifier(nn.Module):
    """Logits of the adapter's labels, from the mean of the tokens, the first or the last one."""

    def __init__(self, backbone, linear, pooling):
        super().__init__()
        self.backbone, self.linear, self.pooling = backbone, linear, pooling

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


def load_adapter(model, directory):
    """Wraps the modules in the adapter's plan in place and returns the model, ready for inference."""
    manifest, tensors = read(directory)
    plan = manifest["plan"]
    routing, top_k = plan.get("routing", "top-k"), plan["top-k"]
    if routing not in ROUTINGS:
        raise ValueError(f"Cannot route by {routing}: known is {', '.join(ROUTINGS)}")
    scalings = {tensor["name"]: tensor.get("scaling") for tensor in manifest["tensors"]}
    modules = dict(model.named_modules())
    for planned in plan["modules"]:
        found = find(modules, manifest, planned)
        prefix = f"layers.{planned['layer']}.{planned['module']}."
        experts = [f"{prefix}experts.{e}." for e in range(len(planned["ranks"]))]
        a, b = ([tensors[expert + kind] for expert in experts] for kind in "AB")
        s = [scalings[expert + "A"] for expert in experts]
        router = {
            name[len(prefix):]: tensor
            for name, tensor in tensors.items()
            if name.startswith(prefix) and not name.startswith(prefix + "experts.")
        }
        wrapped = LoraMoe(modules[found], a, b, router, s, routing, top_k)
        parent, _, child = found.rpartition(".")
        setattr(modules[parent], child, wrapped)
    return model.eval()


def find(modules, manifest, planned):
    """The name of a planned module in the model, whether its class is the one with a head
    (model.language_model.layers...) or a part of it (language_model.layers..., layers...)."""
    first = LLAMA if planned["module"] in LLAMA["modules"] else BERT
    paths = manifest.get("paths", first)
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
    manifest, tensors = read(directory)
    model = load_adapter(model, directory)
    weight = tensors["classifier.weight"].to(model.device, model.dtype)
    bias = tensors.get("classifier.bias")
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    linear.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias.to(weight), requires_grad=False)
    if manifest["pooling"] != "head":
        return Classifier(model, linear, manifest["pooling"]).eval()
    path = manifest["paths"]["classifier"]
    if path not in dict(model.named_modules()):
        raise ValueError(
            f"Cannot find {path} in the model: the adapter reads it through the classification"
            " head of the checkpoint, so load it with AutoModelForSequenceClassification"
        )
    parent, _, child = path.rpartition(".")
    setattr(model.get_submodule(parent), child, linear)
    model.config.num_labels = model.num_labels = weight.shape[0]
    return model.eval()


def read(directory):
    manifest = json.loads((Path(directory) / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format-version"] != 1:
        raise ValueError(f"Cannot read format-version {manifest['format-version']} of {directory}")
    return manifest, safetensors(Path(directory) / "adapter.safetensors")


def safetensors(file):
    """The float32 tensors of a file, without the library of that name."""
    data = bytearray(file.read_bytes())
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
