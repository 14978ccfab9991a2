"""What may be asked of an index, whatever holds its vectors."""

from dataclasses import dataclass, field

from service.settings import Settings

DEFAULT_RECALL = 0.95


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """Which Milvus, and how it indexes.

    Attributes:
        uri: ``http://HOST:19530``, or a path ending in ``.db`` for Milvus Lite.
        token: ``USER:PASSWORD`` or an API key; empty where none is asked for.
        index_type: Milvus's name: ``FLAT`` is exact, the others are approximate.
    """

    uri: str
    token: str = field(default="", repr=False)
    index_type: str = "FLAT"

    @classmethod
    def of(cls, settings: Settings) -> "MilvusAddress | None":
        """Return what the settings say, None when they name no Milvus."""
        if settings.milvus_uri is None:
            return None
        token = settings.milvus_token.get_secret_value()
        return cls(settings.milvus_uri, token, settings.milvus_index)


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How indexes are opened.

    Attributes:
        backend: Key of ``service.index.registry.BACKENDS``.
        device: ``auto`` (the GPU when there is one), ``cpu`` or ``gpu``.
        threads: CPU threads that one search may use, >= 1.
        recall: Share of the true nearest that an approximate index must find, in (0, 1].
        memory_bytes: Main memory that one index may fill; None: half of this machine's.
        milvus: Where the vectors lie when the backend is ``milvus``.
    """

    backend: str = "auto"
    device: str = "auto"
    threads: int = 1
    recall: float = DEFAULT_RECALL
    memory_bytes: int | None = None
    milvus: MilvusAddress | None = None
