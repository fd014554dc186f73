#!/usr/bin/env python3
"""Measures a loop over experts in PyTorch, with the layers and the batch that `bench` runs.

    authors_loop.py --shape 7b --layers 2 --stage both --repeat 3 --json
    authors_loop.py --device cpu --shape tiny
    authors_loop.py --self-test

Times steps of LLaMA-shaped layers with random frozen weights and LoRA experts on all linear modules
as the released code of GuiLoMo (arXiv 2506.14646, github Liar406/Gui-LoMo) computes them: one expert
after another, each with A and B as separate nn.Linear modules, in one of two loops:

--gather      (default) the released code's: an expert reads the tokens routed to it, found with
              torch.where and indexed by Python lists, and adds its output to their rows
--all-tokens  simpler LoRA-MoE code: an expert reads all tokens and scales its output by its gate

Where this differs from the released code, it is faster: attention is fused and in bf16, and nothing
is checked for NaN. Activations are not checkpointed. A step includes an embedding and a head of
`vocabulary` words. The first layer, below which nothing needs a gradient, is also timed alone:
`seconds_per_layer` is what each further layer adds, `extrapolated_seconds` the line through both.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

ALPHA, DROPOUT, BALANCE, INNER_RATE, OUTER_RATE = 16, 0.05, 0.001, 3e-4, 3e-3
SIZES = ("hidden", "heads", "kv_heads", "intermediate", "extrapolate", "tokens", "length")
SHAPES = {"7b": (4096, 32, 32, 11008, 32, 4096, 256), "1b": (2048, 32, 8, 8192, 16, 4096, 256),
          "384": (384, 6, 6, 1024, 6, 4096, 256), "tiny": (32, 4, 2, 64, 2, 64, 16)}
EXPERT_MASK, RANK_MASK = (1, 0.5, -1e4, 0.0), (0, 1.0, 1e-4, 1e-4)


class Mask(torch.autograd.Function):
    """Keeps the entries up to the argmax, at least `least`; the gradient goes to the last one kept."""

    @staticmethod
    def forward(ctx, value, least, inside, outside, elsewhere):
        ctx.last = torch.argmax(value)
        if least > 0:  # waits for the device, as the released code does for the expert mask
            ctx.last = max(least, int(ctx.last))
        ctx.index, ctx.elsewhere = torch.arange(len(value), device=value.device), elsewhere
        ctx.save_for_backward(value)
        return torch.where(ctx.index <= ctx.last, inside, outside)

    @staticmethod
    def backward(ctx, gradient):
        kept = torch.cumsum(gradient * ctx.saved_tensors[0], 0)
        gradient = torch.where(ctx.index == ctx.last, kept, ctx.elsewhere * gradient)
        return gradient, None, None, None, None


class MoeLinear(nn.Module):
    """A frozen linear layer with LoRA experts that are computed one after another."""

    def __init__(self, inputs, outputs, options):
        super().__init__()
        rank, experts = options.rank, range(options.experts)
        self.top_k, self.gather, self.search = options.top_k, options.gather, options.search
        self.scale, self.dropout = ALPHA / rank, nn.Dropout(DROPOUT)
        self.register_buffer("weight", frozen(options, outputs, inputs))
        self.router = nn.Linear(inputs, len(experts), bias=False)
        self.a = nn.ModuleList(nn.Linear(inputs, rank, bias=False) for _ in experts)
        self.b = nn.ModuleList(nn.Linear(rank, outputs, bias=False) for _ in experts)
        for linear in [*self.a, *self.b] if self.search else self.b:
            nn.init.normal_(linear.weight, std=0.02 if self.search else 0)
        if self.search:
            self.lora_e = nn.ParameterList(torch.ones(rank, 1) for _ in experts)
            gsvs = [F.softmax(torch.randn(n), 0) for n in [len(experts)] + [rank] * len(experts)]
            for value in gsvs:
                value[-1] += 2  # as in `bench`: the largest by far, so nothing is masked
            self.expert_gsv, self.rank_gsvs = nn.Parameter(gsvs[0]), nn.ParameterList(gsvs[1:])

    def forward(self, x, all_logits):
        y = F.linear(x, self.weight)
        x = x.reshape(-1, x.shape[-1])
        logits = self.router(x)
        if self.search:
            logits = logits + Mask.apply(torch.sigmoid(self.expert_gsv), *EXPERT_MASK)
        all_logits.append(logits)
        gates, chosen = torch.topk(F.softmax(logits, -1, dtype=torch.float), self.top_k)
        gates = (gates / gates.sum(-1, keepdim=True)).to(x.dtype)
        mixed = x.new_zeros(len(x), y.shape[-1])
        (self.mix_routed if self.gather else self.mix_all)(x, gates, chosen, mixed)
        return y + mixed.view_as(y)

    def mix_routed(self, x, gates, chosen, mixed):
        routed = F.one_hot(chosen, len(self.a)).permute(2, 1, 0)  # expert, slot, token
        for e in range(len(self.a)):
            slots, tokens = torch.where(routed[e])
            if len(tokens) > 0:
                token_list, slot_list = tokens.tolist(), slots.tolist()
                output = self.expert(e, x[token_list]) * gates[token_list, slot_list, None]
                mixed.index_add_(0, tokens, output.to(x.dtype))

    def mix_all(self, x, gates, chosen, mixed):
        dense = x.new_zeros(len(x), len(self.a)).scatter(1, chosen, gates)
        for e in range(len(self.a)):
            mixed += self.expert(e, x) * dense[:, e, None]

    def expert(self, e, x):
        x = self.dropout(x)
        if not self.search:
            return self.b[e](self.a[e](x)) * self.scale
        mask = Mask.apply(torch.sigmoid(self.rank_gsvs[e]), *RANK_MASK).unsqueeze(-1)
        return self.b[e](x @ (self.a[e].weight * (self.lora_e[e] * mask)).T) * self.scale


class Layer(nn.Module):
    def __init__(self, options):
        super().__init__()
        hidden, wide, self.size = options.hidden, options.intermediate, options.head_size
        kv = self.size * options.kv_heads
        self.register_buffer("norms", frozen(options, 2, hidden).fill_(1))
        for name, inputs, outputs in (("q", hidden, hidden), ("k", hidden, kv), ("v", hidden, kv),
                                      ("o", hidden, hidden), ("gate", hidden, wide),
                                      ("up", hidden, wide), ("down", wide, hidden)):
            self.add_module(name, MoeLinear(inputs, outputs, options))

    def forward(self, x, cos, sin, logits):
        def heads(module):
            return module(u, logits).unflatten(-1, (-1, self.size)).transpose(1, 2)
        def turned(value):
            first, second = value.chunk(2, -1)
            return value * cos + torch.cat((-second, first), -1) * sin
        u = rms_norm(x, self.norms[0])
        q, k, v = turned(heads(self.q)), turned(heads(self.k)), heads(self.v)
        if k.shape[1] < q.shape[1]:
            k, v = (t.repeat_interleave(q.shape[1] // t.shape[1], 1) for t in (k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(mixed.transpose(1, 2).flatten(2), logits)
        u = rms_norm(x, self.norms[1])
        return x + self.down(F.silu(self.gate(u, logits)) * self.up(u, logits), logits)


class Model(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.type, self.top_k, self.balance = options.type, options.top_k, BALANCE
        self.register_buffer("words", frozen(options, 2, options.vocabulary, options.hidden))
        self.register_buffer("norm", frozen(options, options.hidden).fill_(1))
        self.layers = nn.ModuleList(Layer(options) for _ in range(options.layers))
        rate = 10000 ** (-torch.arange(0, options.head_size, 2) / options.head_size)
        angle = torch.outer(torch.arange(options.length), rate).repeat(1, 2)
        self.register_buffer("turns", torch.stack((angle.cos(), angle.sin())).to(self.type))

    def loss(self, tokens, depth):
        """The loss of the first layers alone."""
        with torch.autocast(tokens.device.type, torch.bfloat16, self.type != torch.float32):
            x, logits = F.embedding(tokens, self.words[0]), []
            for layer in self.layers[:depth]:
                x = layer(x, *self.turns, logits)
            scores = F.linear(rms_norm(x, self.norm), self.words[1]).float()
            loss = F.cross_entropy(scores[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
            return loss + self.balance * sum(load_balance(one, self.top_k) for one in logits)


def load_balance(logits, top_k):
    """Experts times the sum of share of routed tokens times mean probability (Switch)."""
    probabilities = F.softmax(logits, -1, dtype=torch.float)
    counts = F.one_hot(torch.topk(probabilities, top_k).indices.flatten(), logits.shape[-1]).sum(0)
    return logits.shape[-1] * (counts / counts.sum() * probabilities.mean(0)).sum()


def rms_norm(x, weight):
    wide = x.float()
    return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


def frozen(options, *shape):
    return torch.randn(*shape, dtype=options.type).mul_(0.02)


def gradients(parameters):
    """Copies of the gradients; zero for an expert that no token was routed to."""
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]


class Steps:
    def __init__(self, model, depth):
        self.model, self.depth, self.clip = model, depth, 1.0
        named = list(model.layers[:depth].named_parameters())
        self.outer = [p for name, p in named if "gsv" in name]
        self.inner = [p for name, p in named if "gsv" not in name]
        self.adam = torch.optim.AdamW(self.inner, INNER_RATE, weight_decay=0)
        self.outer_adam = self.outer and torch.optim.AdamW(
            self.outer, OUTER_RATE, betas=(0.5, 0.999), weight_decay=0)

    def backward(self, tokens):
        self.model.zero_grad()
        self.model.loss(tokens, self.depth).backward()
        return gradients(self.outer)

    def finetune(self, train, validation):
        self.backward(train)
        nn.utils.clip_grad_norm_(self.inner, self.clip)
        self.adam.step()

    def search(self, train, validation):
        """A second-order bilevel step of five passes, each with all gradients."""
        weights = [p.detach().clone() for p in self.inner]
        moments = {p: {k: v.clone() for k, v in s.items()} for p, s in self.adam.state.items()}
        self.backward(train)  # pass 1, and a virtual step
        self.adam.step()
        self.adam.state.clear()
        self.adam.state.update(moments)
        gradient, sides = self.backward(validation), []  # pass 2
        direction = gradients(self.inner)
        norm = torch.cat([v.flatten() for v in direction]).norm().item()
        for epsilon in (0.01 / norm, -0.01 / norm) if norm > 0 else ():  # passes 3 and 4
            self.move(weights, direction, epsilon)
            sides.append(self.backward(train))
        for g, plus, minus in zip(gradient, *sides) if sides else ():
            g.sub_(plus - minus, alpha=INNER_RATE * norm / 0.02)
        self.move(weights, direction, 0.0)
        for p, g in zip(self.outer, gradient):
            p.grad = g
        self.outer_adam.step()
        self.finetune(train, validation)  # pass 5

    @torch.no_grad()
    def move(self, weights, direction, epsilon):
        for p, weight, v in zip(self.inner, weights, direction):
            p.copy_(weight).add_(v, alpha=epsilon)


def seconds(work, options):
    options.wait()
    start = time.perf_counter()
    work()
    options.wait()
    return time.perf_counter() - start


def peak_tflops(options):
    size = 8192 if options.cuda else 1024  # the fastest of twelve products, after three to warm up
    a, b, c = (torch.randn(size, size, device=options.device).to(options.type) for _ in range(3))
    fastest = min([seconds(lambda: torch.mm(a, b, out=c), options) for _ in range(15)][3:])
    return 2 * size**3 / fastest / 1e12


def measure(stage, options):
    torch.manual_seed(7)
    options.search, layers, times = stage == "search", options.layers, {}
    with torch.device(options.device):
        model = Model(options).train()
        batches = torch.randint(options.vocabulary, (2, options.sequences, options.length))
    for depth in sorted({1, layers}):
        step = getattr(Steps(model, depth), stage)
        if options.cuda:
            torch.cuda.reset_peak_memory_stats()
        times[depth] = [seconds(lambda: step(*batches), options)
                        for _ in range(options.warmup + options.repeat)][options.warmup:]
    memory = torch.cuda.max_memory_allocated() / 1e9 if options.cuda else None
    del model, step
    first, median = statistics.median(times[1]), statistics.median(times[layers])
    each = (median - first) / (layers - 1) if median > first else median / layers
    keys = "shape dtype layers tokens length experts rank top_k vocabulary repeat".split()
    line = {
        "case": stage, "loop": "gather" if options.gather else "all-tokens",
        **{key: getattr(options, key) for key in keys},
        "seconds_per_step": median, "seconds_min": min(times[layers]),
        "seconds_max": max(times[layers]), "tokens_per_second": options.tokens / median,
        "seconds_first_layer": first, "seconds_per_layer": each,
        "extrapolated_layers": options.extrapolate,
        "extrapolated_seconds": median + (options.extrapolate - layers) * each,
        "peak_tflops": peak_tflops(options), "max_memory_gb": memory, "device": options.name,
        "torch": torch.__version__}
    print(json.dumps({key: float(f"{value:.5g}") if isinstance(value, float) else value
                      for key, value in line.items()}), flush=True)


def stacked(module, x):
    """The same as two thin products for all experts at once, plus the router's logits."""
    x, scale = x.flatten(0, 1), module.scale
    logits = module.router(x)
    if module.search:
        logits = logits + Mask.apply(torch.sigmoid(module.expert_gsv), *EXPERT_MASK)
        masks = [Mask.apply(torch.sigmoid(h), *RANK_MASK) for h in module.rank_gsvs]
        scale = scale * torch.cat(masks) * torch.cat(list(module.lora_e)).flatten()
    p = F.softmax(logits, -1)
    p = p * (p >= p.topk(module.top_k).values[:, -1:])
    p = (p / p.sum(-1, keepdim=True)).repeat_interleave(module.a[0].out_features, 1)
    z = x @ torch.cat([a.weight for a in module.a]).T * p * scale
    return x @ module.weight.T + z @ torch.cat([b.weight for b in module.b], 1).T, logits


def self_test(options):
    """Compares both loops with the stacked formula in fp32, and the masks' gradients."""
    errors, options.type = [], torch.float32
    for case in range(40):
        torch.manual_seed(case)
        options.search, options.gather = case % 2 == 1, case % 4 < 2
        module, logits = MoeLinear(24, 40, options).eval(), []
        for p in module.parameters():
            nn.init.normal_(p, std=0.5)
        x = torch.randn(3, 21, 24, requires_grad=True)
        pair = ((module(x, logits).flatten(0, 1), *logits), stacked(module, x))
        back, leaves = [torch.randn_like(y) for y in pair[0]], [x, *module.parameters()]
        pair = [[*y, *torch.autograd.grad(y, leaves, back, materialize_grads=True)] for y in pair]
        errors += [((y - z).abs().max() / max(1, z.abs().max())).item() for y, z in zip(*pair)]
        value, back = torch.rand(8, requires_grad=True), torch.randn(8)
        least, *_, elsewhere = mask = (EXPERT_MASK, RANK_MASK)[case % 2]
        last, expected = max(least, value.argmax().item()), elsewhere * back
        expected[last] = sum(back[i] * value[i] for i in range(last + 1))
        found, = torch.autograd.grad(Mask.apply(value, *mask), value, back)
        errors.append((found - expected).abs().max().item())
    print(json.dumps({"self_test": max(errors) < 1e-5, "largest_error": max(errors)}))
    return int(max(errors) >= 1e-5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, *choices in (("shape", *SHAPES), ("stage", "both", "finetune", "search"),
                           ("dtype", "bf16", "fp32"), ("device", "cuda", "cpu")):
        parser.add_argument("--" + name, choices=choices, default=choices[0])
    for name, value in (("layers", 2), ("experts", 8), ("rank", 8), ("top_k", 2), ("repeat", 5),
                        ("vocabulary", 4096), ("warmup", 2), ("memory_limit", 70),
                        *((size, None) for size in SIZES)):
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    parser.add_argument("--gather", action="store_true", default=True, help="the default")
    parser.add_argument("--all-tokens", action="store_false", dest="gather")
    parser.add_argument("--json", action="store_true", help="print nothing but JSON")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    for name, value in zip(SIZES, SHAPES[options.shape]):
        setattr(options, name, getattr(options, name) or value)
    options.type = torch.bfloat16 if options.dtype == "bf16" else torch.float32
    options.sequences, rest = divmod(options.tokens, options.length)
    options.head_size = options.hidden // options.heads
    if rest or min(options.sequences, options.layers, options.repeat) < 1:
        parser.error("expected whole sequences, a layer and a step or more")
    if options.self_test:
        return self_test(options)
    options.cuda, options.name, options.wait = options.device == "cuda", "cpu", lambda: None
    if options.cuda:
        options.name, options.wait = torch.cuda.get_device_name(), torch.cuda.synchronize
        share = options.memory_limit * 1e9 / torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, share))
    if not options.json:
        print(f"# {options.name}, torch {torch.__version__}, {peak_tflops(options):.1f} TFLOP/s")
    for stage in ("finetune", "search") if options.stage == "both" else (options.stage,):
        measure(stage, options)


if __name__ == "__main__":
    raise SystemExit(main())
