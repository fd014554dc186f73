"""python -m guilomo ADAPTER MODEL TEXT: what a model with an adapter makes of a text."""

import argparse
import sys


def parser():
    arguments = argparse.ArgumentParser(
        prog="python -m guilomo",
        description="Prints the response of a model with an adapter of GuiLoMo on Spark to an instruction, or the"
        " probabilities of a classifier's labels for a text.",
    )
    arguments.add_argument("adapter", metavar="ADAPTER", help="local directory of the adapter, such as runs/RUN_ID/adapter")
    arguments.add_argument("model", metavar="MODEL", help="local directory or hub name of the model that it was trained with")
    arguments.add_argument("text", metavar="TEXT", help="the instruction, or the text to classify")
    arguments.add_argument(
        "--context", metavar="TEXT", help="what the instruction is about, or the second text of a pair to classify"
    )
    arguments.add_argument(
        "--max-new-tokens", metavar="N", type=int, default=64, help="most tokens of the response (default: 64)"
    )
    arguments.add_argument(
        "--dtype", metavar="TYPE", default="float32", help="type of the weights: float32, bfloat16 or float16 (default: float32)"
    )
    arguments.add_argument("--device", metavar="DEVICE", default="cpu", help="where to compute, such as cuda (default: cpu)")
    return arguments


def main(arguments=None):
    given = parser().parse_args(arguments)
    try:
        answer(given)
    except (ValueError, OSError, ImportError, RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        print(f"error: {reason[0]}", file=sys.stderr)
        return 2
    return 0


def answer(given):
    import guilomo

    # What is wrong with the adapter is said before a large model is read.
    about = guilomo.manifest(given.adapter)
    import torch
    import transformers

    types = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if given.dtype not in types:
        raise ValueError(f"Cannot use --dtype {given.dtype}: expected one of {', '.join(types)}")
    tokenizer = transformers.AutoTokenizer.from_pretrained(given.model)
    model = guilomo.load(given.model, given.adapter, torch_dtype=types[given.dtype]).to(given.device)
    if about["task"] == "classification":
        for label, probability in guilomo.classify(model, tokenizer, given.text, given.context).items():
            print(f"{probability:.4f}  {label}")
    else:
        print(guilomo.generate(model, tokenizer, given.text, given.context or "", given.max_new_tokens))


if __name__ == "__main__":
    sys.exit(main())
