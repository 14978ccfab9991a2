"""What may be asked of an index, whatever holds its vectors."""

from dataclasses import dataclass

DEFAULT_RECALL = 0.95


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How indexes are opened.

    Attributes:
        backend: Key of ``service.index.registry.BACKENDS``.
        device: ``auto`` (the GPU when there is one), ``cpu`` or ``gpu``.
        threads: CPU threads that one search may use, >= 1.
        recall: Share of the true nearest that an approximate index must find, in (0, 1].
        memory_bytes: Main memory that one index may fill; None: half of this machine's.
    """

    backend: str = "auto"
    device: str = "auto"
    threads: int = 1
    recall: float = DEFAULT_RECALL
    memory_bytes: int | None = None
