"""The second half of an extraction: pieces of many files through their networks, in order."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from models.errors import DataError, KyomeiError, MediaError
from models.features.extractor import BatchExtractor, Pieces
from models.features.steps import resample_steps
from models.types import Float32Array, Modality
from training.extraction_workers import Outcome, checked

logger = logging.getLogger(__name__)

CPU, CUDA, AUTO = "cpu", "cuda", "auto"


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How networks run.

    Attributes:
        device: ``cpu`` or ``cuda``.
        batch: Pieces that pass a GPU together, about. A CPU takes one file at a time.
        threads: Files that a CPU works on at the same time, each on one core.
        steps: None for pooled rows; T for T rows a file, see ``resample_steps``.
    """

    device: str = CPU
    batch: int = 64
    threads: int = 1
    steps: int | None = None


def chosen_device(name: str) -> str:
    """Return the device that ``auto``, ``cpu`` or ``cuda`` means on this machine.

    Raises:
        DataError: If there is no such device.
    """
    if name == CPU:
        return CPU
    if name not in (AUTO, CUDA):
        raise DataError(f"device: expected auto, cpu or cuda, got {name!r}")
    import torch

    if torch.cuda.is_available():
        return CUDA
    if name == AUTO:
        return CPU
    raise DataError("device: expected a GPU for cuda, PyTorch sees none; use --device cpu")


class NetworkStage:
    """Finishes the outcomes of workers whose extractors have a network.

    Args:
        networks: The extractors with a network, by modality; they are moved to the device.
        options: How they run.
    """

    def __init__(
        self, networks: "Mapping[Modality, BatchExtractor[Any]]", options: NetworkOptions
    ) -> None:
        self._networks = networks
        self._options = options
        for network in networks.values():
            network.to(options.device)

    @property
    def is_needed(self) -> bool:
        """Whether any extractor has a network."""
        return bool(self._networks)

    def map(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Yield every outcome with features in place of pieces, in order, a few at a time.

        A file whose features cannot be computed becomes a ``MediaError``.

        Raises:
            KyomeiError: When a network cannot be built: no package, or changed weights.
        """
        threads = self._options.threads if self._options.device == CPU else 1
        with ThreadPoolExecutor(threads, thread_name_prefix="network") as pool:
            ahead: deque[Future[list[Outcome]]] = deque()
            try:
                for group in self._groups(outcomes):
                    ahead.append(pool.submit(self._finish, group))
                    if len(ahead) > 2 * threads:
                        yield from ahead.popleft().result()
                while ahead:
                    yield from ahead.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _groups(self, outcomes: Iterable[Outcome]) -> Iterator[list[Outcome]]:
        """Cut the stream where enough pieces for a batch have come together."""
        enough = 1 if self._options.device == CPU else self._options.batch
        group: list[Outcome] = []
        count = 0
        for outcome in outcomes:
            group.append(outcome)
            pieces = self._pieces(outcome)
            count += 0 if pieces is None else len(pieces)
            if count >= enough or not count or len(group) >= 4 * enough:
                yield group
                group, count = [], 0
        if group:
            yield group

    def _pieces(self, outcome: Outcome) -> Pieces | None:
        """What has to pass a network, or None for features and errors."""
        if isinstance(outcome.result, MediaError):
            return None
        return outcome.result if outcome.example.modality in self._networks else None

    def _finish(self, group: list[Outcome]) -> list[Outcome]:
        """Pass the pieces of a group, the same modality together."""
        results: list[Pieces | MediaError] = [outcome.result for outcome in group]
        for modality, network in self._networks.items():
            batch = {
                place: pieces
                for place, outcome in enumerate(group)
                if outcome.example.modality == modality
                and (pieces := self._pieces(outcome)) is not None
            }
            features = self._features(network, list(batch.values()))
            for place, result in zip(batch, features, strict=True):
                results[place] = result
        return [Outcome(one.example, result) for one, result in zip(group, results, strict=True)]

    def _features(
        self, network: "BatchExtractor[Any]", batch: Sequence[Pieces]
    ) -> list[Float32Array | MediaError]:
        """Features of each item; when a batch fails its items are tried one by one."""
        if not batch:
            return []
        steps = self._options.steps
        try:
            rows = network.forward(batch, sequence=steps is not None)
        except KyomeiError:
            raise
        except Exception as error:  # one file must not stop thousands
            if len(batch) > 1:
                return [result for one in batch for result in self._features(network, [one])]
            logger.exception("no features from %s", type(network).__name__)
            return [MediaError("features", f"{type(error).__name__}: {error}")]
        return [checked(row if steps is None else resample_steps(row, steps)) for row in rows]
