"""Further collections in one service: a TOML file with a table for each.

    [songs]
    data = "/data/songs"
    spaces = ["/spaces/songs"]
    index_backend = "numpy"

Paths are taken from the folder of the file. What a table does not say is as for the default
collection; limits and the address belong to the service as a whole.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import DataError
from service.settings import DEFAULT_COLLECTION, Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OF_THE_SERVICE = frozenset({"host", "port", "allowed_hosts", "log_level", "collections"})


def collection_settings(settings: Settings) -> dict[str, Settings]:
    """Return the settings of every collection by name, the default one first.

    Raises:
        DataError: When the file cannot be read, a name or a setting is wrong, or two collections
            share a data folder.
    """
    found = {DEFAULT_COLLECTION: settings}
    if settings.collections is not None:
        for name, table in _read(settings.collections).items():
            found[name] = _settings_of(settings, name, table)
    folders: dict[Path, str] = {}
    for name, own in found.items():
        folder = own.data.resolve()
        if folder in folders:
            raise DataError(
                f"{settings.collections}: expected a data folder for each collection, "
                f"{folders[folder]} and {name} share {folder}"
            )
        folders[folder] = name
    return found


def settings_of(settings: Settings, name: str | None) -> Settings:
    """Return the settings of one collection, None for the default one.

    Raises:
        DataError: When there is no such collection.
    """
    found = collection_settings(settings)
    if (name or DEFAULT_COLLECTION) not in found:
        raise DataError(f"expected a collection of {', '.join(found)}, got {name}")
    return found[name or DEFAULT_COLLECTION]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(
            f"KYOMEI_COLLECTIONS: expected a TOML file at {path}, got: {error}"
        ) from error


def _settings_of(base: Settings, name: str, table: object) -> Settings:
    place = f"{base.collections}: [{name}]"
    if not _NAME.fullmatch(name) or name == DEFAULT_COLLECTION:
        raise DataError(
            f"{place}: expected a name of lower-case letters, digits, - and _ other than "
            f"{DEFAULT_COLLECTION}"
        )
    if not isinstance(table, dict) or "data" not in table:
        raise DataError(f"{place}: expected a table with the key data, its data folder")
    allowed = {
        key
        for key in Settings.model_fields
        if key not in _OF_THE_SERVICE and not key.startswith("max_")
    }
    unknown = sorted(set(table) - allowed)
    if unknown:
        raise DataError(
            f"{place}: expected keys of {', '.join(sorted(allowed))}, got {', '.join(unknown)}"
        )
    own = {key: value for key, value in base if key not in ("collections", "database_url")}
    try:
        return Settings(**{**own, **_with_paths(base, table)}, collections=None)
    except ValidationError as error:
        wrong = "; ".join(f"{_where(one)}: {one['msg']}" for one in error.errors())
        raise DataError(f"{place}: {wrong}") from error


def _with_paths(base: Settings, table: dict[str, Any]) -> dict[str, Any]:
    """Take relative paths from the folder of the file."""
    assert base.collections is not None  # noqa: S101  # it was read
    folder = base.collections.parent
    read = dict(table)
    if isinstance(read["data"], str):
        read["data"] = folder / read["data"]
    if isinstance(read.get("spaces"), list):
        read["spaces"] = tuple(folder / str(one) for one in read["spaces"])
    # The environment names the database of the default collection, not of this one.
    read.setdefault("database_url", None)
    return read


def _where(error: Any) -> str:
    return ".".join(map(str, error["loc"]))
