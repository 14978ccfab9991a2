"""Every setting of the service, read from ``KYOMEI_...`` environment variables."""

import contextlib
import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.media.limits import MediaLimits

_LIMITS = MediaLimits()

DEFAULT_COLLECTION = "default"
"""Name of the collection that the settings themselves describe."""


class Settings(BaseSettings):
    """What an operator may change; every field has a default that works on one machine.

    ``KYOMEI_SPACES=/a/scenes,/b/songs`` sets ``spaces``; lists are written with commas or
    as JSON.

    Attributes:
        data: Where items, indexes, previews and the catalog live.
        spaces: Artefact folders to serve, or folders that hold some; empty: the shipped ones.
        database_url: SQLAlchemy address of the catalog; empty: SQLite in the data folder.
        collections: A TOML file that names further collections; see ``service.collections``.
        allowed_hosts: Values accepted in the ``Host`` header; ``*`` accepts all.
        max_upload_bytes: Size of one encoded file.
        max_unpacked_bytes: Size of a zipped score when unpacked.
        decode_workers: Processes that decode uploads.
        decode_timeout_seconds: Time one file may take to decode.
        decode_memory_bytes: Address space of one decoding process.
        queue_seconds: How long a request waits for a free worker before 503.
        index_backend: Key of ``BACKENDS``; ``auto`` chooses by size, memory and recall.
        index_device: ``auto`` takes a GPU when FAISS has one.
        index_recall: Share of the true nearest that an approximate index must find.
        index_memory_bytes: Main memory that one index may fill; empty: half of the machine's.
        milvus_uri: Where Milvus is when ``index_backend`` is ``milvus``: ``http://HOST:19530``, or
            a path ending in ``.db`` for Milvus Lite.
        milvus_token: ``USER:PASSWORD`` or an API key of Milvus.
        milvus_index: Milvus's name of an index type; ``FLAT`` is exact.
        threads: OpenMP threads of one index search.
        max_k: Most results of one answer.
        max_offset: Deepest start of an answer.
    """

    model_config = SettingsConfigDict(env_prefix="KYOMEI_", frozen=True, extra="ignore")

    data: Path = Path("kyomei_data")
    spaces: Annotated[tuple[Path, ...], NoDecode] = ()
    database_url: str | None = None
    collections: Path | None = None

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ("localhost", "127.0.0.1", "[::1]")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    max_upload_bytes: int = Field(default=_LIMITS.max_bytes, gt=0)
    max_unpacked_bytes: int = Field(default=_LIMITS.max_unpacked_bytes, gt=0)
    max_seconds: float = Field(default=_LIMITS.max_seconds, gt=0)
    max_pixels: int = Field(default=_LIMITS.max_pixels, gt=0)
    max_side_pixels: int = Field(default=_LIMITS.max_side_pixels, gt=0)
    max_pages: int = Field(default=_LIMITS.max_pages, gt=0)
    max_bars: int = Field(default=_LIMITS.max_bars, gt=0)
    max_characters: int = Field(default=_LIMITS.max_characters, gt=0)

    decode_workers: int = Field(default=2, ge=1, le=64)
    decode_timeout_seconds: float = Field(default=60.0, gt=0)
    decode_memory_bytes: int = Field(default=4 * 2**30, ge=2**28)
    queue_seconds: float = Field(default=30.0, gt=0)

    index_backend: str = "auto"
    index_device: Literal["auto", "cpu", "gpu"] = "auto"
    index_recall: float = Field(default=0.95, gt=0, le=1)
    index_memory_bytes: int | None = Field(default=None, gt=0)
    milvus_uri: str | None = None
    milvus_token: SecretStr = SecretStr("")
    milvus_index: str = "FLAT"
    threads: int = Field(default=1, ge=1)

    max_k: int = Field(default=100, ge=1, le=10_000)
    max_offset: int = Field(default=10_000, ge=0)

    @field_validator("spaces", "allowed_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        """Read ``a,b`` or ``["a", "b"]`` from the environment as two entries."""
        if isinstance(value, str) and value.lstrip().startswith("[") and value.rstrip()[-1] == "]":
            with contextlib.suppress(ValueError):
                return tuple(json.loads(value))
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def media_limits(self) -> MediaLimits:
        """The limits in the form that ``models.media`` takes."""
        return MediaLimits(
            max_bytes=self.max_upload_bytes,
            max_unpacked_bytes=self.max_unpacked_bytes,
            max_seconds=self.max_seconds,
            max_pixels=self.max_pixels,
            max_side_pixels=self.max_side_pixels,
            max_pages=self.max_pages,
            max_bars=self.max_bars,
            max_characters=self.max_characters,
        )

    @property
    def uploads_folder(self) -> Path:
        """Where an upload lies while it is being answered."""
        return self.data / "uploads"

    @property
    def previews_folder(self) -> Path:
        """Where rendered previews are kept; deleting it costs only time."""
        return self.data / "previews"


def shipped_spaces() -> Path:
    """Folder of the spaces that come with the package."""
    return Path(str(resources.files("models"))) / "pretrained"
