"""The table of extractors."""

import subprocess
import sys

import pytest

from models.errors import DataError
from models.features.registry import EXTRACTORS, extractor


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match=r"'resnet'.*gradient-colour.*log-mel-statistics"):
        extractor("resnet")


def test_fingerprints_differ(random_weights):
    assert len({extractor(name).spec.fingerprint for name in EXTRACTORS}) == len(EXTRACTORS)


def test_import_brings_no_decoder_and_no_network_library():
    heavy = "av soundfile verovio pypdfium2 fastapi pydantic faiss torch"
    code = (
        "import sys, models.features.registry\n"
        f"sys.stdout.write(' '.join(set('{heavy}'.split()) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
