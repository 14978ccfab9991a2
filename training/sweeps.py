"""MAP against one setting, as in the figures of the papers; nothing is chosen by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from models.errors import DataError
from training.compare import CompareOptions, load_folds
from training.datasets.split import TEST, TRAIN
from training.evaluation.comparison_report.sweep import SweepPoint, write_sweep
from training.evaluation.protocol import CLASS, Direction, evaluate
from training.loops.recipe import FitContext
from training.presets import method_of


@dataclass(frozen=True, slots=True)
class Sweep:
    """One plot.

    Attributes:
        title: Name of the setting on the axis.
        settings: Fields of the configuration that take the value, by method label.
        values: What is tried.
    """

    title: str
    settings: Mapping[str, tuple[str, ...]]
    values: Sequence[float]


LARGEST_BATCH = 1024  # items; triplets are a tensor of three such axes
COMPONENTS = (2, 5, 10, 20, 30, 40, 50)
SWEEPS: dict[str, Sweep] = {
    "components": Sweep(
        "number of components K",
        {
            "c-dcca": ("n_components", "outputs"),
            "tnn-c-cca@published": ("n_components",),
            "tnn-c-cca": ("n_components",),
            "vae-cca": ("n_components",),
        },
        COMPONENTS,
    ),
    "margin": Sweep(
        "margin",
        {"tnn-c-cca@published": ("margin",), "tnn-c-cca": ("margin",)},
        (0.1, 0.3, 0.5, 0.7, 0.9, 1.1),
    ),
    "batches": Sweep(
        "batches per epoch",
        {"tnn-c-cca@published": ("batches_per_epoch",), "tnn-c-cca": ("batches_per_epoch",)},
        (5, 10, 20, 40, 80, 160),
    ),
}


def remove_sweeps(folder: Path) -> None:
    """Delete the plots of an earlier call."""
    for path in folder.glob("sweep_*.png"):
        path.unlink()


def write_sweeps(options: CompareOptions, folder: Path) -> list[str]:
    """Fit every value of every sweep on the first fold and draw class MAP on its test part.

    Args:
        options: Data and seed of the comparison.
        folder: ``sweep_NAME.png`` is written for each of ``SWEEPS``.

    Returns:
        What was left out and why: data without labels have no sweeps, a value that cannot be fitted
        has no point.
    """
    data = load_folds(options)[0].for_selection()
    if not all(view.labelled for view in data.views.values()):
        return ["left out, the training rows have no labels"]
    problems: list[str] = []
    total = sum(len(sweep.settings) * len(sweep.values) for sweep in SWEEPS.values())
    with tqdm(total=total, desc="sweeps", unit="fit", disable=not options.progress) as bar:
        for name, sweep in SWEEPS.items():
            points: list[SweepPoint] = []
            chance = 0.0
            for label, names in sweep.settings.items():
                for value in sweep.values:
                    bar.update()
                    try:
                        found = _measured(options, label, dict.fromkeys(names, value))
                    except DataError as error:
                        problems.append(f"{label}, {sweep.title} {value:g}: {error}")
                        continue
                    points += [
                        (value, label, f"{d.query} → {d.target}", d.scores.map) for d in found
                    ]
                    chance = sum(d.chance.map for d in found) / len(found)
            if points:
                path = folder / f"sweep_{name}.png"
                write_sweep(points, path, setting=sweep.title, chance=chance)
    return problems


def _measured(options: CompareOptions, label: str, changes: Mapping[str, float]) -> list[Direction]:
    """Class figures of one setting on the test part of the first fold."""
    data = load_folds(options)[0]
    _, recipe, config = method_of(label)
    kinds = {name: type(getattr(config, name)) for name in changes}
    changed = replace(config, **{name: kinds[name](value) for name, value in changes.items()})
    n_items = len({one for view in data.views.values() for one in view.only(TRAIN).ids.tolist()})
    if n_items > LARGEST_BATCH * changes.get("batches_per_epoch", n_items):
        raise DataError(f"batches of more than {LARGEST_BATCH} items take too much memory")
    context = FitContext(seed=options.seed, progress=False)
    space = recipe.fit(data.for_selection(), changed, context).space
    return [d for d in evaluate(space, data, split=TEST) if d.protocol == CLASS]
