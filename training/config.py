"""Configurations: frozen dataclasses filled from TOML and ``--set key=value``."""

import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from models.errors import DataError

ConfigT = TypeVar("ConfigT")


def load_config(
    kind: type[ConfigT], path: Path | None = None, assignments: Sequence[str] = ()
) -> ConfigT:
    """Build a configuration from defaults, then a TOML file, then assignments.

    Args:
        kind: A dataclass whose fields all have defaults.
        path: TOML file of top-level ``key = value`` lines.
        assignments: ``key=value`` with a TOML value on the right, e.g. ``ridges=[0.1, 1.0]``.

    Raises:
        DataError: If a file cannot be read, or a key is unknown, or a value has another type.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values.update(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise DataError(f"expected a TOML configuration in {path}, got: {error}") from error
    for assignment in assignments:
        try:
            values.update(tomllib.loads(assignment))
        except tomllib.TOMLDecodeError as error:
            raise DataError(
                f"expected KEY=VALUE with a TOML value (words in quotes: 'key=\"word\"'), "
                f"got {assignment!r}: {error}"
            ) from error
    defaults = kind()
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in known:
            raise DataError(f"unknown configuration key {key!r}, expected one of {sorted(known)}")
        values[key] = _checked(key, value, getattr(defaults, key))
    return kind(**values)


def _checked(key: str, value: Any, default: Any) -> Any:
    """Bring a TOML value to the type of the default, or refuse it."""
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(_checked(key, item, default[0]) for item in value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        wanted = "a list such as [1, 2]" if isinstance(default, tuple) else type(default).__name__
        raise DataError(f"expected {wanted} for {key!r}, got {type(value).__name__} {value!r}")
    return value
