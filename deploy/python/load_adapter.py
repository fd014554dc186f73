"""The names under which the first releases had what is now in the package guilomo, beside this file."""

from guilomo import load_adapter, load_classifier  # noqa: F401
