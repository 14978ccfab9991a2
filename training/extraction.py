"""From a data set of media to a feature file: decode, compute, store; can be killed and resumed."""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from models.errors import DataError, MediaError
from models.features.extractor import BatchExtractor, ExtractorSpec, runs_in_batches
from models.features.registry import DEFAULT_EXTRACTORS, extractor
from models.media.limits import MediaLimits
from models.types import Modality
from training.datasets.example import Dataset, Example, check_examples
from training.datasets.feature_file import FeatureHeader
from training.datasets.feature_writer import Failure, FeatureFileWriter, Row
from training.extraction_workers import ExtractionPool, Outcome, WorkerSettings
from training.network_stage import AUTO, NetworkOptions, NetworkStage, chosen_device

logger = logging.getLogger(__name__)

_FEATURES_AHEAD, _PIECES_AHEAD = 16, 4  # a worker: what goes into a network is far larger


@dataclass(frozen=True, slots=True)
class ExtractionReport:
    """What an extraction did.

    Attributes:
        path: The feature file.
        rows: Number of rows of each view.
        failures: Files that gave no row, in the order of the data set.
        resumed: Files that an earlier, interrupted run had already done.
        seconds: Wall time of this run.
    """

    path: Path
    rows: Mapping[str, int]
    failures: tuple[Failure, ...]
    resumed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ExtractionOptions:
    """How to extract.

    Attributes:
        extractors: Name of the extractor of each modality; None for ``DEFAULT_EXTRACTORS``.
        limits: Bounds of decoding.
        steps: None for one pooled row a file, or the fixed number T of rows a file.
        workers: Processes that decode and compute, and threads of networks on a CPU.
        timeout_seconds: A file that takes longer is skipped.
        device: Of networks: ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.
        batch: Pieces (patches, windows, frames, pictures) that pass a GPU together, about.
    """

    extractors: Mapping[Modality, str] | None = None
    limits: MediaLimits = field(default_factory=MediaLimits)
    steps: int | None = None
    workers: int = 2
    timeout_seconds: float = 120.0
    device: str = AUTO
    batch: int = 64


DEFAULT_OPTIONS = ExtractionOptions()


def extract(
    dataset: Dataset,
    out: Path,
    options: ExtractionOptions = DEFAULT_OPTIONS,
    *,
    progress: bool = True,
) -> ExtractionReport:
    """Compute the features of every example and write them to a feature file.

    The rows lie in the order of the data set, whatever the number of workers. A file that cannot
    be decoded is skipped and reported. An interrupted run goes on where it stopped when called
    again with the same data set, output and options.

    Args:
        dataset: What to extract.
        out: Feature file to make, replaced when all is done.
        options: How.
        progress: Show a bar with rate and time left, on a terminal.

    Returns:
        Counts and the files that were skipped.

    Raises:
        DataError: If the data set is empty or contradicts itself, an extractor is unknown or does
            not fit its modality, or not one file of some modality could be read.
    """
    started = time.monotonic()
    examples = dataset.examples()
    check_examples(examples, dataset.classes)
    settings = WorkerSettings(
        extractors=_choose_extractors(examples, options.extractors),
        limits=options.limits,
        steps=options.steps,
        timeout_seconds=options.timeout_seconds,
    )
    networks = _networks(settings)
    running = NetworkOptions(
        device=chosen_device(options.device) if networks else "cpu",
        batch=options.batch,
        threads=options.workers,
        steps=options.steps,
    )
    identity = _identity(settings, running.device if networks else None)
    with FeatureFileWriter(out, _header(dataset, settings), settings=identity) as writer:
        resumed = len(writer)
        todo = [one for one in examples if (one.modality, one.id) not in writer]
        class_numbers = {name: number for number, name in enumerate(dataset.classes)}
        stage = NetworkStage(networks, running)
        for outcome in _outcomes(todo, settings, stage, workers=options.workers, bar=progress):
            _store(writer, outcome, class_numbers)
        failures, rows = writer.failures, writer.row_counts
        _refuse_empty_views(writer, examples)
        writer.finish()
    seconds = time.monotonic() - started
    logger.info("%s: %s rows, %d skipped, %.1f s", out, rows, len(failures), seconds)
    return ExtractionReport(out, rows, failures, resumed, seconds)


def _choose_extractors(
    examples: Sequence[Example], chosen: Mapping[Modality, str] | None
) -> dict[Modality, str]:
    names = {**DEFAULT_EXTRACTORS, **(chosen or {})}
    present = sorted({example.modality for example in examples})
    for modality in present:
        if modality not in names:
            raise DataError(f"{modality}: expected the name of an extractor, found none")
        spec = extractor(names[modality]).spec
        if spec.modality != modality:
            raise DataError(
                f"{modality}: expected an extractor of {modality}, found {spec.name!r} of "
                f"{spec.modality}"
            )
    return {modality: names[modality] for modality in present}


def _networks(settings: WorkerSettings) -> dict[Modality, BatchExtractor[Any]]:
    """The extractors that run in this process behind the workers."""
    built = {modality: extractor(name) for modality, name in settings.extractors.items()}
    return {modality: one for modality, one in built.items() if runs_in_batches(one)}


def _header(dataset: Dataset, settings: WorkerSettings) -> FeatureHeader:
    specs: dict[Modality, ExtractorSpec] = {
        modality: extractor(name).spec for modality, name in settings.extractors.items()
    }
    return FeatureHeader(
        classes=dataset.classes,
        source=f"{dataset.name}: {dataset.citation}",
        licence=dataset.licence,
        extractors={str(m): (spec.name, spec.fingerprint) for m, spec in specs.items()},
        extractor_parameters={str(m): dict(spec.parameters) for m, spec in specs.items()},
    )


def _identity(settings: WorkerSettings, device: str | None) -> str:
    """Everything besides the extractors that decides the numbers, for a restart to compare."""
    words = {"limits": asdict(settings.limits), "steps": settings.steps}
    return json.dumps(words if device is None else {**words, "device": device})


def _outcomes(
    examples: Sequence[Example],
    settings: WorkerSettings,
    stage: NetworkStage,
    *,
    workers: int,
    bar: bool,
) -> Iterator[Outcome]:
    if not examples:
        return
    ahead = _PIECES_AHEAD if stage.is_needed else _FEATURES_AHEAD
    with (
        ExtractionPool(settings, workers=min(workers, len(examples)), ahead=ahead) as pool,
        tqdm(total=len(examples), desc="Extracting", unit="file", disable=not bar or None) as shown,
    ):
        for outcome in stage.map(pool.map(examples)):
            yield outcome
            shown.update()


def _store(writer: FeatureFileWriter, outcome: Outcome, class_numbers: Mapping[str, int]) -> None:
    example, result = outcome.example, outcome.result
    if isinstance(result, MediaError):
        logger.warning("skipped %s %s: %s", example.modality, example.id, result)
        writer.skip(Failure(example.modality.value, example.id, result.reason, str(result)))
        return
    label = None if example.label is None else class_numbers[example.label]
    writer.append(Row(example.modality.value, example.id, label, example.split), result)


def _refuse_empty_views(writer: FeatureFileWriter, examples: Sequence[Example]) -> None:
    """Refuse a feature file that lacks a modality; the next run tries its files again."""
    for modality in sorted({example.modality for example in examples} - writer.row_counts.keys()):
        first = next(failure for failure in writer.failures if failure.view == modality)
        writer.discard()
        raise DataError(
            f"{modality}: expected at least one readable file, found none; the first, "
            f"{first.id!r}: {first.message}"
        )
