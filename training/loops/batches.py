"""Batches in which row i of every view corresponds: true partners, else rows of one class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.types import Int64Array
from training.datasets.feature_data import FeatureView


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Slots of items; a view that an item lacks is filled with another item's row.

    The filling row has the class of the slot where that is known, else any.

    Attributes:
        features: Standardised rows of each view, (B, D) or (B, T, D).
        labels: Class of each row, (B,) int64, -1 where it is not known.
        own: True where the row of a view is the slot's own, (B,) bool.
    """

    features: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]
    own: Mapping[str, Tensor]

    @property
    def names(self) -> list[str]:
        """The views, in order."""
        return list(self.features)

    def pairs(self, first: str, second: str) -> Tensor:
        """Slots whose rows in two views are true partners, (B,) bool."""
        return self.own[first] & self.own[second]

    def corresponding(self, first: str, second: str) -> Tensor:
        """Slots whose rows in two views are partners or of one known class, (B,) bool."""
        same = (self.labels[first] >= 0) & (self.labels[first] == self.labels[second])
        return self.pairs(first, second) | same


class EpochSource(Protocol):
    """What the fit loop learns from."""

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        ...


class BatchSource:
    """Deals the rows of several views out in batches; an unbalanced epoch shows every row.

    Args:
        views: Standardised rows by view.
        batch_size: Slots per batch; a single slot that is left over joins the last batch.
        batches_per_epoch: When not 0, the batch size is the number of slots divided by this.
        balanced: Draw slots so that every class comes equally often; the epoch keeps its length.
        shuffle: Another order in each epoch.
        device: Where the batches lie.
    """

    def __init__(
        self,
        views: Mapping[str, FeatureView],
        *,
        batch_size: int,
        batches_per_epoch: int,
        balanced: bool,
        shuffle: bool,
        device: torch.device,
    ) -> None:
        self._views = views
        self._balanced, self._shuffle, self._device = balanced, shuffle, device
        self._rows, self._slot_labels = _slots(views)
        share = -(-self.n_slots // batches_per_epoch) if batches_per_epoch else batch_size
        self._batch_size = max(share, 2)
        self._labels = {name: _labels(view) for name, view in views.items()}
        self._of_class = {name: _rows_by_class(labels) for name, labels in self._labels.items()}
        self._features = {
            name: torch.from_numpy(view.features).to(device) for name, view in views.items()
        }

    @property
    def n_slots(self) -> int:
        """Number of different items over all views."""
        return len(self._slot_labels)

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        return len(self._starts())

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch; ``rng`` decides order and filling rows."""
        slots = self._order(rng)
        rows = {name: self._filled(name, slots, rng) for name in self._views}
        bounds = [*self._starts(), self.n_slots]
        for start, stop in pairwise(bounds):
            part = slice(start, stop)
            features, labels, own = {}, {}, {}
            for name in self._views:
                chosen = rows[name][part]
                features[name] = self._features[name][self._tensor(chosen)]
                labels[name] = self._tensor(self._labels[name][chosen])
                own[name] = self._tensor(self._rows[name][slots[part]] == chosen)
            yield Batch(features, labels, own)

    def _starts(self) -> range:
        return range(0, max(self.n_slots - 1, 1), self._batch_size)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    def _order(self, rng: np.random.Generator) -> Int64Array:
        """Slot numbers of an epoch, shape (n_slots,)."""
        order = np.arange(self.n_slots)
        if self._shuffle:
            order = rng.permutation(order)
        known = self._slot_labels[order] >= 0
        if self._balanced and known.any():
            order[known] = self._balanced_slots(int(known.sum()), rng)
        return order

    def _balanced_slots(self, count: int, rng: np.random.Generator) -> Int64Array:
        """So many slots of known class, classes in equal shares and in random order.

        The slots of a class come round in turn: a second copy of one stands far behind the first,
        so that a batch hardly ever holds an item twice and takes its partner for a stranger.
        """
        of_class = _rows_by_class(self._slot_labels)
        classes = np.array(sorted(set(of_class) - {-1}))
        drawn = rng.permutation(np.resize(rng.permutation(classes), count))
        slots = np.empty(count, dtype=np.int64)
        for label in classes.tolist():
            where = drawn == label
            slots[where] = _in_turn(of_class[label], int(where.sum()), rng)
        return slots

    def _filled(self, name: str, slots: Int64Array, rng: np.random.Generator) -> Int64Array:
        """Row number in a view for each slot; those that lack one get another item's row."""
        rows = self._rows[name][slots].copy()
        missing = rows < 0
        labels = self._slot_labels[slots]
        for label in np.unique(labels[missing]).tolist():
            where = missing & (labels == label)
            pool = self._of_class[name].get(label) if label >= 0 else None
            if pool is None:
                pool = np.arange(len(self._views[name]))
            rows[where] = _in_turn(pool, int(where.sum()), rng)
        return rows


def _slots(views: Mapping[str, FeatureView]) -> tuple[dict[str, Int64Array], Int64Array]:
    """Row of each id in each view, -1 where it lacks one; and the class of each id, or -1."""
    ids = list(dict.fromkeys(one for view in views.values() for one in view.ids.tolist()))
    position = {one: number for number, one in enumerate(ids)}
    rows = {name: np.full(len(ids), -1, dtype=np.int64) for name in views}
    slot_labels = np.full(len(ids), -1, dtype=np.int64)
    for name, view in views.items():
        where = np.array([position[one] for one in view.ids.tolist()], dtype=np.int64)
        rows[name][where] = np.arange(len(view))
        slot_labels[where] = np.maximum(slot_labels[where], _labels(view))
    return rows, slot_labels


def _labels(view: FeatureView) -> Int64Array:
    return np.full(len(view), -1, dtype=np.int64) if view.labels is None else view.labels


def _in_turn(pool: Int64Array, count: int, rng: np.random.Generator) -> Int64Array:
    """So many entries of a pool, each as often as the others, in one random order after another."""
    rounds = -(-count // len(pool))
    return np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:count]


def _rows_by_class(labels: Int64Array) -> dict[int, Int64Array]:
    return {label: np.flatnonzero(labels == label) for label in np.unique(labels).tolist()}
