"""What every entry of EXTRACTORS promises."""

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.features.extractor import Extractor
from models.features.registry import DEFAULT_EXTRACTORS, EXTRACTORS, extractor
from models.types import Media, Modality, Score
from tests.contracts.extractor_media import DEGENERATE, ORDINARY

pytestmark = pytest.mark.usefixtures("random_weights")
NAMES = sorted(EXTRACTORS)
ROOT = Path(__file__).parents[2]


def digest(name: str) -> str:
    """Hash of all features of the ordinary media, in a fresh extractor."""
    subject = extractor(name)
    total = hashlib.sha256()
    for media in ORDINARY[subject.spec.modality]:
        total.update(subject.pooled(media).tobytes())
        total.update(subject.sequence(media).tobytes())
    return total.hexdigest()


def content(media: Media) -> list[bytes]:
    """All numbers and letters of decoded media."""
    arrays = media.pages if isinstance(media, Score) else astuple(media)
    return [one.tobytes() if isinstance(one, np.ndarray) else repr(one).encode() for one in arrays]


@pytest.fixture(params=NAMES)
def subject(request: pytest.FixtureRequest, random_weights: Path) -> Extractor[Any]:
    return extractor(request.param)


def check(subject: Extractor[Any], media: Media) -> None:
    pooled, sequence = subject.pooled(media), subject.sequence(media)
    assert pooled.dtype == sequence.dtype == np.float32
    assert pooled.shape == (subject.spec.dimension,)
    assert sequence.shape[0] >= 1
    assert sequence.shape[1:] == (subject.spec.sequence_dimension,)
    assert np.isfinite(pooled).all()
    assert np.isfinite(sequence).all()


def test_spec_has_the_name_of_the_table_and_plain_parameters(subject):
    spec = subject.spec
    assert EXTRACTORS[spec.name] is type(subject)
    assert "version" in spec.parameters
    assert json.loads(json.dumps(dict(spec.parameters))) == dict(spec.parameters)
    assert re.fullmatch("[0-9a-f]{16}", spec.fingerprint)


def test_ordinary_media_have_finite_rows_of_the_stated_size(subject):
    for media in ORDINARY[subject.spec.modality]:
        check(subject, media)


def test_degenerate_media_have_finite_rows_of_the_stated_size(subject, subtests):
    for case, media in DEGENERATE[subject.spec.modality].items():
        with subtests.test(case):
            check(subject, media)


def test_different_media_have_different_rows(subject):
    rows = {subject.pooled(media).tobytes() for media in ORDINARY[subject.spec.modality]}
    assert len(rows) == len(ORDINARY[subject.spec.modality])


def test_same_media_give_the_same_bytes_twice_and_after_others(subject):
    first, *others = ORDINARY[subject.spec.modality]
    alone = subject.pooled(first).tobytes(), subject.sequence(first).tobytes()
    for media in others:
        subject.pooled(media)
        subject.sequence(media)
    assert (subject.pooled(first).tobytes(), subject.sequence(first).tobytes()) == alone
    assert extractor(subject.spec.name).pooled(first).tobytes() == alone[0]


def test_media_are_not_changed(subject):
    media = ORDINARY[subject.spec.modality][0]
    before = content(media)
    subject.pooled(media)
    subject.sequence(media)
    assert content(media) == before


def test_other_processes_give_the_same_bytes_with_any_number_of_threads():
    code = (
        "from tests.contracts.extractor_weights import small_networks\n"
        "from tests.contracts.test_extractors import NAMES, digest\n"
        "import sys\n"
        "with small_networks(): sys.stdout.write(' '.join(map(digest, NAMES)))"
    )
    others = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={
                **os.environ,
                "OMP_NUM_THREADS": threads,
                "OPENBLAS_NUM_THREADS": threads,
                "PYTHONHASHSEED": threads,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in ("1", "4")
    ]
    expected = dict(zip(NAMES, map(digest, NAMES), strict=True))
    for other in others:
        said = other.communicate()[0].split()
        assert other.returncode == 0
        assert dict(zip(NAMES, said, strict=True)) == expected


def test_every_modality_has_a_default_that_reads_it():
    assert set(DEFAULT_EXTRACTORS) == set(Modality)
    for modality, name in DEFAULT_EXTRACTORS.items():
        assert extractor(name).spec.modality is modality
