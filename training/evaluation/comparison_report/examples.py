"""What the best method answers: a few queries drawn by lot, with their first answers."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from models.types import Float64Array, Int64Array
from training.evaluation.comparison import Comparison, EmbeddedView
from training.evaluation.comparison_report.summary import best_method
from training.evaluation.comparison_report.table import make_table, markdown_table

N_QUERIES = 8
N_ANSWERS = 5
RIGHT, WRONG, PARTNER = "✓", "✗", "★"


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A query and its first answers.

    Attributes:
        query: Row of the query view.
        answers: Rows of the target view, best first, shape (A,).
        scores: Their cosine similarity in [-1, 1], shape (A,).
    """

    query: int
    answers: Int64Array
    scores: Float64Array


def examples_markdown(comparison: Comparison) -> str:
    """A table per direction: queries of the first fold and the answers of the best method."""
    method = best_method(comparison)
    embedded = comparison.of(method)[0].embedded
    parts = [
        f"# What {method} answers",
        f"Test rows of the first fold. The queries were drawn by lot (seed {comparison.seed}), not "
        f"picked. Each cell: mark, id, class, cosine similarity. {RIGHT} the class (or, without "
        f"classes, the item) is right, {WRONG} it is not, {PARTNER} the query's true partner.",
    ]
    for query, target in permutations(embedded, 2):
        rng = np.random.default_rng(comparison.seed)
        found = sample_answers(embedded[query], embedded[target], rng=rng)
        rows = [_row(one, embedded[query], embedded[target], comparison.classes) for one in found]
        n_answers = len(found[0].answers)
        head = ["query", "class", *(str(place) for place in range(1, n_answers + 1))]
        table = make_table(head, rows, n_left=len(head))
        parts += [f"## {query} → {target}", markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def sample_answers(
    queries: EmbeddedView, gallery: EmbeddedView, *, rng: np.random.Generator
) -> list[Answered]:
    """Draw ``N_QUERIES`` queries and rank the gallery by cosine for each.

    Args:
        queries: Rows (Q, K).
        gallery: Rows (G, K).
        rng: Draws the queries; they are given in file order.
    """
    n_queries = min(N_QUERIES, len(queries.ids))
    rows = np.sort(rng.choice(len(queries.ids), size=n_queries, replace=False))
    scores = queries.embedding[rows].astype(np.float64) @ gallery.embedding.astype(np.float64).T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :N_ANSWERS]
    return [
        Answered(int(row), best.astype(np.int64), line[best])
        for row, best, line in zip(rows, order, scores, strict=True)
    ]


def _row(
    one: Answered, queries: EmbeddedView, gallery: EmbeddedView, classes: tuple[str, ...]
) -> list[str]:
    cells = [str(queries.ids[one.query]), _class(queries, one.query, classes)]
    for answer, score in zip(one.answers.tolist(), one.scores.tolist(), strict=True):
        words = [str(gallery.ids[answer]), _class(gallery, answer, classes), f"{score:.2f}"]
        mark = _mark(queries, one.query, gallery, answer)
        cells.append(f"{mark} {', '.join(word for word in words if word)}")
    return cells


def _mark(queries: EmbeddedView, query: int, gallery: EmbeddedView, answer: int) -> str:
    is_partner = bool(queries.ids[query] == gallery.ids[answer])
    if queries.labels is None or gallery.labels is None:
        is_right = is_partner
    else:
        is_right = bool(queries.labels[query] == gallery.labels[answer])
    return (RIGHT if is_right else WRONG) + PARTNER * is_partner


def _class(view: EmbeddedView, row: int, classes: tuple[str, ...]) -> str:
    """Name of the class of a row; nothing where it is not known."""
    if view.labels is None or view.labels[row] < 0:
        return ""
    return classes[int(view.labels[row])]
