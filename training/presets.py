"""Settings that ship with a name: ``METHOD@PRESET`` is METHOD with configs/METHOD_PRESET.toml."""

from pathlib import Path
from typing import Any

from models.errors import DataError
from training.config import load_config
from training.loops.recipe import Recipe
from training.loops.registry import RECIPES, recipe

FOLDER = Path(__file__).parent / "configs"
PRESETS = ("tnn-c-cca@published", "vae-cca@released")
ALL = "all"


def method_of(label: str) -> tuple[str, Recipe, Any]:
    """Key, recipe and configuration of ``METHOD`` or ``METHOD@PRESET``.

    Raises:
        DataError: If there is no such method or preset; the message lists those there are.
    """
    method = label.partition("@")[0]
    found = recipe(method)
    return method, found, load_config(found.config, preset_path(label))


def preset_path(label: str) -> Path | None:
    """The TOML file of ``METHOD@PRESET``; None for a method alone.

    Raises:
        DataError: If there is no such preset.
    """
    if "@" not in label:
        return None
    if label not in PRESETS:
        raise DataError(f"unknown preset {label!r}, expected one of {list(PRESETS)}")
    return FOLDER / f"{label.replace('-', '_').replace('@', '_')}.toml"


def named_methods(text: str) -> tuple[str, ...]:
    """Methods of a comma-separated list; ``all`` stands for every method and preset.

    Raises:
        DataError: If the list is empty or names an unknown method or preset.
    """
    if text.strip() == ALL:
        with_presets = [
            label
            for method in RECIPES
            for label in (method, *(p for p in PRESETS if p.partition("@")[0] == method))
        ]
        return tuple(with_presets)
    labels = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not labels:
        raise DataError(f"expected methods of {sorted(RECIPES)} or {ALL!r}, got {text!r}")
    for label in labels:
        method_of(label)
    return labels
