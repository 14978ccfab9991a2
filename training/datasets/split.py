"""Which rows train, which choose settings, which test: by id and seed, never by row order."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


def take_share(strata: Mapping[str, Hashable], *, share: float, seed: int) -> frozenset[str]:
    """Choose about ``share`` of the ids of every stratum.

    Ids are ranked by a hash of seed and id, so the choice is the same for any order of the rows
    and changes little when rows are added.

    Args:
        strata: Stratum (for example the class) of each id.
        share: Part of each stratum to take, in [0, 1). A stratum of two or more ids gives at
            least one and keeps at least one; a stratum of one id keeps it.
        seed: Another seed gives another choice.

    Returns:
        The chosen ids; where every stratum has a single id, strata are ignored.
    """
    if share <= 0.0:
        return frozenset()
    members: dict[Hashable, list[str]] = defaultdict(list)
    for identifier, stratum in strata.items():
        members[stratum].append(identifier)
    if all(len(ids) < 2 for ids in members.values()):
        members = {None: list(strata)}
    return frozenset(
        identifier
        for ids in members.values()
        for identifier in _ranked(ids, seed)[: _count(len(ids), share)]
    )


def assign_splits(
    strata: Mapping[str, Hashable], *, seed: int, validation: float = 0.15, test: float = 0.15
) -> dict[str, str]:
    """Split ids into train, validation and test, each stratum in the same proportions.

    Args:
        strata: Stratum of each id.
        seed: Another seed gives another split.
        validation: Share of all ids, in [0, 1).
        test: Share of all ids, in [0, 1); ``validation + test`` is below 1.

    Returns:
        Split of each id, in the order of ``strata``.
    """
    tested = take_share(strata, share=test, seed=seed)
    rest = {
        identifier: stratum for identifier, stratum in strata.items() if identifier not in tested
    }
    validated = take_share(rest, share=validation / (1.0 - test), seed=seed)
    return {
        identifier: TEST
        if identifier in tested
        else VALIDATION
        if identifier in validated
        else TRAIN
        for identifier in strata
    }


def _ranked(ids: list[str], seed: int) -> list[str]:
    return sorted(ids, key=lambda one: (hashlib.sha256(f"{seed}:{one}".encode()).digest(), one))


def _count(n_ids: int, share: float) -> int:
    if n_ids < 2:
        return 0
    return min(max(round(share * n_ids), 1), n_ids - 1)
