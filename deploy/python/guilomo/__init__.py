"""Adapters from GuiLoMo on Spark on Hugging Face models: PyTorch and transformers, no PEFT, no JVM.

    import guilomo

    model = guilomo.load("models/SmolLM2-135M", "runs/RUN_ID/adapter")
    text = guilomo.generate(model, AutoTokenizer.from_pretrained("models/SmolLM2-135M"), "Name a colour.")

For inference only. The model must be the one that the adapter was trained with, in a floating-point
type; shapes are checked, values are not.
"""

import importlib

__all__ = ["classify", "generate", "load", "load_adapter", "load_classifier", "manifest", "prompt"]


def __getattr__(name):
    # PyTorch is imported with the first name that is asked for, so that a command can say that it is missing.
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".adapters", __name__), name)
