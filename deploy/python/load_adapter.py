"""Puts an adapter from GuiLoMo on Spark on a Hugging Face model: plain PyTorch, no PEFT, no JVM.

    decoder = load_adapter(AutoModelForCausalLM.from_pretrained(path), "runs/RUN_ID/adapter")
    classifier = load_classifier(AutoModel.from_pretrained(path), "runs/RUN_ID/adapter")

The model must be the backbone that the adapter was trained on, in a floating-point type; this is
not checked. For inference only. This file has been compiled but not run.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

# Paths of the modules of layer {} in LlamaModel and BertModel.
PATHS = {
    "q_proj": "layers.{}.self_attn.q_proj",
    "k_proj": "layers.{}.self_attn.k_proj",
    "v_proj": "layers.{}.self_attn.v_proj",
    "o_proj": "layers.{}.self_attn.o_proj",
    "gate_proj": "layers.{}.mlp.gate_proj",
    "up_proj": "layers.{}.mlp.up_proj",
    "down_proj": "layers.{}.mlp.down_proj",
    "query": "encoder.layer.{}.attention.self.query",
    "key": "encoder.layer.{}.attention.self.key",
    "value": "encoder.layer.{}.attention.self.value",
    "attention_output": "encoder.layer.{}.attention.output.dense",
    "intermediate": "encoder.layer.{}.intermediate.dense",
    "output": "encoder.layer.{}.output.dense",
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
    """Logits of the adapter's labels, from the mean of the tokens or the first token; no pooler."""

    def __init__(self, encoder, weight, bias, pooling):
        super().__init__()
        self.encoder, self.pooling = encoder, pooling
        self.register_buffer("weight", weight.to(encoder.device, encoder.dtype))
        self.register_buffer("bias", bias.to(encoder.device, encoder.dtype))

    def forward(self, input_ids, attention_mask, **inputs):
        states = self.encoder(input_ids, attention_mask=attention_mask, **inputs).last_hidden_state
        if self.pooling == "mean":
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            states = (states * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        return functional.linear(states[:, 0], self.weight, self.bias)


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
        path = PATHS[planned["module"]].format(planned["layer"])
        found = [name for name in modules if name == path or name.endswith("." + path)]
        if len(found) != 1:
            raise ValueError(f"Cannot find {path} once in the model: found {found}")
        prefix = f"layers.{planned['layer']}.{planned['module']}."
        experts = [f"{prefix}experts.{e}." for e in range(len(planned["ranks"]))]
        a, b = ([tensors[expert + kind] for expert in experts] for kind in "AB")
        s = [scalings[expert + "A"] for expert in experts]
        router = {
            name[len(prefix):]: tensor
            for name, tensor in tensors.items()
            if name.startswith(prefix) and not name.startswith(prefix + "experts.")
        }
        wrapped = LoraMoe(modules[found[0]], a, b, router, s, routing, top_k)
        parent, _, child = found[0].rpartition(".")
        setattr(modules[parent], child, wrapped)
    return model.eval()


def load_classifier(encoder, directory):
    """The encoder with the adapter and its classifier; manifest.json lists the labels in order."""
    manifest, tensors = read(directory)
    weight, bias = tensors["classifier.weight"], tensors["classifier.bias"]
    return Classifier(load_adapter(encoder, directory), weight, bias, manifest["pooling"]).eval()


def read(directory):
    manifest = json.loads((Path(directory) / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format-version"] != 1:
        raise ValueError(f"Cannot read format-version {manifest['format-version']} of {directory}")
    return manifest, load_file(Path(directory) / "adapter.safetensors")
