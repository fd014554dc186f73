"""Logits of models with adapters, for TestPythonLoader: the cases as JSON on standard input, their
logits on standard output. A model's class is transformers' own, or with "plain" a few lines of
PyTorch. Cases with "new" are answered with that many tokens after each of theirs."""

import json
import math
import re
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, sys.argv[1])
import guilomo


class Namespace(nn.Module):
    """Modules by their names."""

    def __init__(self, /, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)


class Norm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(size)), epsilon

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon)


def attention(q, k, v, heads, causal):
    q, k, v = (x.unflatten(-1, (-1, q.shape[-1] // heads)).transpose(1, 2) for x in (q, k, v))
    k, v = (x.repeat_interleave(heads // x.shape[1], 1) for x in (k, v))
    if causal:
        angles = torch.outer(
            torch.arange(q.shape[2]), 1e4 ** (-torch.arange(0, q.shape[3], 2) / q.shape[3])
        )
        cosine, sine = (f(torch.cat([angles, angles], -1)) for f in (torch.cos, torch.sin))
        q, k = (
            x * cosine + torch.cat([-x[..., x.shape[3] // 2:], x[..., : x.shape[3] // 2]], -1) * sine
            for x in (q, k)
        )
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if causal:
        scores = scores + torch.full(scores.shape[2:], -math.inf).triu(1)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


class PlainLlama(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config["num_attention_heads"]
        hidden, wide = config["hidden_size"], config["intermediate_size"]
        key = hidden // self.heads * config["num_key_value_heads"]

        def linear(columns, rows):
            return nn.Linear(columns, rows, bias=False)

        def norm():
            return Norm(hidden, config["rms_norm_eps"])

        blocks = [
            Namespace(
                input_layernorm=norm(),
                self_attn=Namespace(
                    q_proj=linear(hidden, hidden),
                    k_proj=linear(hidden, key),
                    v_proj=linear(hidden, key),
                    o_proj=linear(hidden, hidden),
                ),
                post_attention_layernorm=norm(),
                mlp=Namespace(
                    gate_proj=linear(hidden, wide),
                    up_proj=linear(hidden, wide),
                    down_proj=linear(wide, hidden),
                ),
            )
            for _ in range(config["num_hidden_layers"])
        ]
        self.model = Namespace(
            embed_tokens=nn.Embedding(config["vocab_size"], hidden),
            layers=nn.ModuleList(blocks),
            norm=norm(),
        )
        self.lm_head = linear(hidden, config["vocab_size"])

    def forward(self, input_ids):
        x = self.model.embed_tokens(input_ids)
        for block in self.model.layers:
            normed, attn, mlp = block.input_layernorm(x), block.self_attn, block.mlp
            q, k, v = attn.q_proj(normed), attn.k_proj(normed), attn.v_proj(normed)
            x = x + attn.o_proj(attention(q, k, v, self.heads, True))
            normed = block.post_attention_layernorm(x)
            x = x + mlp.down_proj(functional.silu(mlp.gate_proj(normed)) * mlp.up_proj(normed))
        return Namespace(logits=nn.Parameter(self.lm_head(self.model.norm(x))))


class PlainBert(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config["num_attention_heads"]
        hidden, wide = config["hidden_size"], config["intermediate_size"]

        def norm():
            return nn.LayerNorm(hidden, config["layer_norm_eps"])

        def output(columns):
            return Namespace(dense=nn.Linear(columns, hidden), LayerNorm=norm())

        self.embeddings = Namespace(
            word_embeddings=nn.Embedding(config["vocab_size"], hidden),
            position_embeddings=nn.Embedding(config["max_position_embeddings"], hidden),
            token_type_embeddings=nn.Embedding(config["type_vocab_size"], hidden),
            LayerNorm=norm(),
        )
        blocks = [
            Namespace(
                attention=Namespace(
                    self=Namespace(
                        query=nn.Linear(hidden, hidden),
                        key=nn.Linear(hidden, hidden),
                        value=nn.Linear(hidden, hidden),
                    ),
                    output=output(hidden),
                ),
                intermediate=Namespace(dense=nn.Linear(hidden, wide)),
                output=output(wide),
            )
            for _ in range(config["num_hidden_layers"])
        ]
        self.encoder = Namespace(layer=nn.ModuleList(blocks))

    device, dtype = torch.device("cpu"), torch.float32

    def forward(self, input_ids, attention_mask):
        e = self.embeddings
        x = e.word_embeddings(input_ids) + e.position_embeddings.weight[: input_ids.shape[1]]
        x = e.LayerNorm(x + e.token_type_embeddings.weight[0])
        for block in self.encoder.layer:
            s, o = getattr(block.attention, "self"), block.attention.output
            mixed = attention(s.query(x), s.key(x), s.value(x), self.heads, False)
            x = o.LayerNorm(x + o.dense(mixed))
            wide = functional.gelu(block.intermediate.dense(x))
            x = block.output.LayerNorm(x + block.output.dense(wide))
        return Namespace(last_hidden_state=nn.Parameter(x))


def plain(case):
    directory = Path(case["model"])
    config = json.loads((directory / "config.json").read_text())
    model = (PlainBert if case["classifies"] else PlainLlama)(config)
    stored = guilomo.safetensors(directory / "model.safetensors")
    names = model.state_dict()
    stored = {name[5:] if name.startswith("bert.") else name: t for name, t in stored.items()}
    model.load_state_dict({name: stored[name] for name in names})
    return model


def class_of(case):
    import transformers

    if not case["classifies"]:
        return transformers.AutoModelForCausalLM
    if case["head"]:
        return transformers.AutoModelForSequenceClassification
    return transformers.AutoModel


def model_of(case):
    if case["plain"]:
        return plain(case)
    options = dict(attn_implementation="eager", torch_dtype=torch.float32)
    if case["peft"] and case["classifies"]:
        options["num_labels"] = case["labels"]
        options["ignore_mismatched_sizes"] = True
    return class_of(case).from_pretrained(case["model"], **options)


def adapted(case):
    if case.get("merged"):
        import transformers

        kind = "SequenceClassification" if case["classifies"] else "CausalLM"
        model, info = getattr(transformers, "AutoModelFor" + kind).from_pretrained(
            case["adapter"],
            attn_implementation="eager",
            torch_dtype=torch.float32,
            output_loading_info=True,
        )
        missing = list(info["missing_keys"]) + list(info["mismatched_keys"])
        # A model that reads images has none of what reads them here.
        missing = [key for key in missing if not re.search("vision|multi_modal", key)]
        assert not missing, f"{case['adapter']} lacks {missing}"
        return model.eval()
    if case.get("new"):
        return guilomo.load(case["model"], case["adapter"], torch_dtype=torch.float32)
    model = model_of(case)
    if case["peft"]:
        import peft

        loaded = peft.PeftModel.from_pretrained(model, case["adapter"])
        return loaded.eval()
    return guilomo.load(model, case["adapter"])


def logits_of(case):
    model = adapted(case)
    found = []
    for tokens in case["tokens"]:
        if case.get("new"):
            new = guilomo.continued(model, torch.tensor([tokens]), case["new"], eos_token_id=None)
            found.append([new])
            continue
        logits = model(input_ids=torch.tensor([tokens])).logits
        found.append(logits.reshape(-1, logits.shape[-1]).double().tolist())
    return found


with torch.no_grad():
    json.dump([logits_of(case) for case in json.load(sys.stdin)], sys.stdout)
