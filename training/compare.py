"""Fit several methods on the same folds and measure each on the test part, once."""

import hashlib
import logging
import os
import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from models.checkpoint import read_json, write_json
from models.errors import ArtefactError, DataError
from models.spaces import SharedSpace, SpaceManifest, load_space, save_space
from training.artefact import code_version
from training.datasets.class_pairs import pair_by_class
from training.datasets.feature_data import FeatureData
from training.datasets.feature_file import read_feature_file
from training.datasets.folds import make_folds, read_folds
from training.datasets.hide_labels import hide_labels
from training.datasets.published_features import describe_published, name_classes
from training.datasets.split import TEST, TRAIN
from training.evaluation.comparison import Comparison, FoldResult, embedded_views
from training.evaluation.protocol import evaluate_embedded
from training.loops.recipe import LABELS, PAIRS, FitContext, FitResult
from training.presets import method_of
from training.search import search_config

FIT_FILE = "fit.json"
LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What is compared and how.

    Attributes:
        paths: Feature files: one, which is divided into folds, or one per fold.
        methods: Labels as ``training.presets.named_methods`` gives them.
        n_folds: Number of folds of one file; 1 keeps its own split.
        seed: Of folds, validation parts, hidden labels and fits.
        views: Views to use; empty for all.
        labelled_share: Share of train and validation items whose class is known, in [0, 1].
        trials: Fits of a search per method and fold; 0 for the default settings.
        folder: Where fitted spaces are kept, so that the same call goes on where it stopped.
        workers: Processes that fit, each with one thread.
        progress: Show a bar.
    """

    paths: tuple[Path, ...]
    methods: tuple[str, ...]
    n_folds: int = 5
    seed: int = 0
    views: tuple[str, ...] = ()
    labelled_share: float = 1.0
    trials: int = 0
    folder: Path | None = None
    workers: int = 2
    progress: bool = True


def compare_methods(options: CompareOptions, *, command: str = "") -> Comparison:
    """Fit every method on every fold and measure it.

    A method that the data do not admit (no pairs, no labels) is named among the failures; the
    others go on.

    Args:
        options: See there.
        command: The command line, for the report.

    Raises:
        DataError: If the data cannot be read, or no method could be fitted.
    """
    folds = load_folds(options)
    results: list[FoldResult] = []
    failures: dict[str, str] = {}
    for label, outcome in _outcomes(options, len(folds)):
        if isinstance(outcome, FoldResult):
            results.append(outcome)
        else:
            failures[label] = outcome
    kept = [result for result in results if result.method not in failures]
    if not kept:
        reasons = "".join(f"\n  {label}: {reason}" for label, reason in failures.items())
        raise DataError(f"no method could be fitted:{reasons}")
    order = {label: number for number, label in enumerate(options.methods)}
    kept.sort(key=lambda result: (order[result.method], result.fold))
    return Comparison(
        data=", ".join(path.name for path in options.paths),
        seed=options.seed,
        n_folds=len(folds),
        classes=folds[0].classes,
        command=command,
        protocols=tuple(dict.fromkeys(d.protocol for d in kept[0].directions)),
        notes=_notes(options, folds, [result.method for result in kept]),
        folds=kept,
        failures=failures,
        machine=machine(),
    )


@lru_cache(maxsize=1)
def load_folds(options: CompareOptions) -> tuple[FeatureData, ...]:
    """Read the data and divide them; a process does it once.

    Raises:
        DataError: If a file or a view is missing.
    """
    if len(options.paths) > 1:
        folds = read_folds(options.paths, options.seed)
    else:
        data = name_classes(read_feature_file(options.paths[0], seed=options.seed))
        folds = make_folds(
            _restricted(data, options.views), n_folds=options.n_folds, seed=options.seed
        )
    share, seed = options.labelled_share, options.seed
    return tuple(
        hide_labels(_restricted(fold, options.views), share=share, seed=seed) for fold in folds
    )


def fit_fold(options: CompareOptions, label: str, fold: int) -> FoldResult:
    """Fit one method on one fold, or open what an earlier call fitted, and measure it.

    Raises:
        DataError: If the method lacks what it needs.
    """
    data = load_folds(options)[fold]
    folder = None if options.folder is None else options.folder / "runs" / label / f"fold-{fold}"
    identity = _identity(options, label, fold)
    space, seconds, parameters = _kept(folder, identity) or _fitted(
        options, label, data, folder, identity
    )
    embedded = embedded_views(space, data, TEST)
    test = {name: view.only(TEST) for name, view in data.views.items()}
    rows = {name: view.embedding for name, view in embedded.items()}
    return FoldResult(
        method=label,
        fold=fold,
        directions=evaluate_embedded(rows, test, split=TEST),
        fit_seconds=seconds,
        parameters=parameters,
        embedded=embedded,
        train_embedded=embedded_views(space, data, TRAIN),
        n_fitted=sum(len(data.views[name]) - len(test[name]) for name in embedded),
    )


def machine() -> str:
    """Processor, cores and device in words."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{_processor()}, {os.cpu_count()} cores, {device}"


def _outcomes(options: CompareOptions, n_folds: int) -> Iterator[tuple[str, FoldResult | str]]:
    """Results, or why there is none, as they come in."""
    jobs = [(label, fold) for fold in range(n_folds) for label in options.methods]
    with tqdm(total=len(jobs), desc="fits", unit="fit", disable=not options.progress) as bar:
        if options.workers == 1:
            for label, fold in jobs:
                yield label, _attempt(options, label, fold)
                bar.update()
            return
        spawn = get_context("spawn")
        with ProcessPoolExecutor(options.workers, spawn, initializer=_one_thread) as pool:
            futures = {pool.submit(_attempt, options, *job): job[0] for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
                bar.set_postfix_str(futures[future])
                bar.update()


def _attempt(options: CompareOptions, label: str, fold: int) -> FoldResult | str:
    """The result, or why there is none: no error of one fit costs the others."""
    try:
        return fit_fold(options, label, fold)
    except DataError as error:
        return str(error)
    except Exception as error:
        LOGGER.exception("%s failed on fold %d", label, fold)
        return f"{type(error).__name__}: {error}"


def _one_thread() -> None:
    """One thread per process: small networks gain nothing from more, and folds run side by side."""
    import torch
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    torch.set_num_threads(1)


def _fitted(
    options: CompareOptions, label: str, data: FeatureData, folder: Path | None, identity: str
) -> tuple[SharedSpace, float, dict[str, float | int | str]]:
    method, recipe, config = method_of(label)
    chosen_from = data.for_selection()
    if PAIRS in recipe.needs and not data.paired and LABELS not in recipe.needs:
        chosen_from = pair_by_class(chosen_from, seed=options.seed)
    context = FitContext(seed=options.seed, progress=False)
    started = time.perf_counter()
    if options.trials and "@" not in label:  # a preset keeps its settings
        config = search_config(recipe, chosen_from, config, context, trials=options.trials)
    result = recipe.fit(chosen_from, config, context)
    seconds = time.perf_counter() - started
    if folder is None:
        return result.space, seconds, result.parameters
    _keep(folder, identity, method, data, options.seed, (result, seconds))
    return load_space(folder)[1], seconds, result.parameters  # the numbers a later call has


def _keep(
    folder: Path,
    identity: str,
    method: str,
    data: FeatureData,
    seed: int,
    fitted: tuple[FitResult, float],
) -> None:
    """Write the space, and last the file that says the fit is complete."""
    result, seconds = fitted
    (folder / FIT_FILE).unlink(missing_ok=True)  # that of another run no longer holds
    manifest = SpaceManifest(
        name=folder.parent.name,
        method=method,
        views=tuple(result.space.views.values()),
        n_components=result.space.n_components,
        dataset=data.source,
        licence=data.licence,
        seed=seed,
        weights_sha256="",
        code_version=code_version(),
        parameters=result.parameters,
    )
    save_space(result.space, folder, manifest)
    write_json(folder / "history.json", result.history)
    write_json(folder / FIT_FILE, {"identity": identity, "fit_seconds": seconds})


def _kept(
    folder: Path | None, identity: str
) -> tuple[SharedSpace, float, dict[str, float | int | str]] | None:
    """The space of an earlier call with the same data, settings and seed."""
    if folder is None or not (folder / FIT_FILE).exists():
        return None
    try:
        fit = read_json(folder / FIT_FILE)
        if fit["identity"] != identity:
            return None
        manifest, space = load_space(folder)
    except ArtefactError:  # killed while it was written: fitted again
        return None
    return space, float(fit["fit_seconds"]), dict(manifest.parameters)


def _identity(options: CompareOptions, label: str, fold: int) -> str:
    _, _, config = method_of(label)
    told = replace(options, methods=(), folder=None, workers=1, progress=False)
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in options.paths]
    said = repr((label, fold, config, replace(told, paths=()), files, _code()))
    return hashlib.sha256(said.encode()).hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of the code that fits: spaces of other code are not taken for those of this one."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for package in ("models", "training"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _restricted(data: FeatureData, names: Sequence[str]) -> FeatureData:
    missing = sorted(set(names) - set(data.views))
    if missing:
        raise DataError(f"expected views {list(names)}, found {sorted(data.views)}")
    if len(names or data.views) < 2:
        raise DataError(f"expected at least two views, found {sorted(names or data.views)}")
    return replace(data, views={name: data.views[name] for name in names or data.views})


def _notes(
    options: CompareOptions, folds: Sequence[FeatureData], methods: Sequence[str]
) -> tuple[str, ...]:
    notes = list(describe_published(folds[0]))
    if len(options.paths) == 1 and options.n_folds > 1:
        notes.append(
            "folds are dealt over all rows of the file; its own split is not used, so near copies "
            "that it keeps on one side may be divided"
        )
    if not folds[0].paired:
        made = [m for m in dict.fromkeys(methods) if PAIRS in method_of(m)[1].needs]
        if made:
            notes.append(
                f"{', '.join(made)}: trained on random same-class pairs, since the data have no "
                "true pairs; their settings were chosen by class, on validation rows"
            )
    if options.labelled_share < 1.0:
        notes.append(f"the class of {options.labelled_share:g} of the items was known in training")
    return tuple(notes)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
