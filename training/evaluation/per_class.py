"""Which classes are found and which are taken for which others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import DataError, ShapeError
from models.types import Float32Array, Float64Array, Int64Array
from training.evaluation.protocol import INSTANCE, Direction
from training.evaluation.retrieval import similarity_blocks


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The queries of one class.

    Attributes:
        name: Of the class.
        n_queries: How many they are.
        map: Their mean average precision.
        chance: What a random order of the gallery reaches for them.
    """

    name: str
    n_queries: int
    map: float
    chance: float


def per_class_table(direction: Direction, classes: Sequence[str]) -> list[ClassFigures]:
    """Mean average precision of each class that has queries, in the order of the classes.

    Args:
        direction: Of protocol ``class`` or ``class-averaged``, measured with chance.
        classes: Name of each class.

    Raises:
        DataError: If the direction is of another protocol, or a label has no name.
    """
    if direction.protocol == INSTANCE:
        raise DataError("expected figures by class, got those of the protocol instance")
    labels = direction.scores.query_keys
    precisions = direction.scores.average_precisions
    chances = direction.chance.average_precisions
    table = []
    for label in np.unique(labels).tolist():
        if label >= len(classes):
            raise DataError(f"expected a name for class {label}, found {len(classes)} names")
        rows = labels == label
        figures = (float(values[rows].mean()) for values in (precisions, chances))
        table.append(ClassFigures(classes[label], int(rows.sum()), *figures))
    return table


def confusion_matrix(
    queries: Float32Array,
    gallery: Float32Array,
    query_labels: Int64Array,
    gallery_labels: Int64Array,
    *,
    n_classes: int,
) -> Float64Array:
    """Count the first answers: row = class of the query, column = class of the first answer.

    Items that tie for the first place share the query. Rows of unknown class (-1) are neither
    queries nor answers.

    Args:
        queries: Unit rows, shape (Q, K).
        gallery: Unit rows, shape (G, K).
        query_labels: Shape (Q,).
        gallery_labels: Shape (G,).
        n_classes: C; labels are below it.

    Returns:
        Shape (C, C); a row sums to the number of queries of its class.

    Raises:
        ShapeError: If labels and rows differ in number, a label is out of range or no gallery item
            has a class.
    """
    if query_labels.shape != (len(queries),) or gallery_labels.shape != (len(gallery),):
        raise ShapeError(
            f"expected a label per row, got {queries.shape} with {query_labels.shape} and "
            f"{gallery.shape} with {gallery_labels.shape}"
        )
    known, answers = query_labels >= 0, gallery_labels >= 0
    asked, answered = query_labels[known], gallery_labels[answers]
    if not len(answered) or max(asked.max(initial=-1), answered.max()) >= n_classes:
        raise ShapeError(f"expected gallery labels, and all labels from 0 to {n_classes - 1}")
    one_hot = np.eye(n_classes)[answered]  # (G, C)
    counts, start = np.zeros((n_classes, n_classes)), 0
    for similarities in similarity_blocks(queries[known], gallery[answers]):
        first = similarities == similarities.max(axis=1, keepdims=True)  # (B, G)
        shares = first @ one_hot / first.sum(axis=1, keepdims=True)  # (B, C)
        np.add.at(counts, asked[start : start + len(shares)], shares)
        start += len(shares)
    return counts
