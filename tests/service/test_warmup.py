import pytest

from models.media.load import default_modality, load
from models.types import Modality
from service.warmup import TINY_FILES


@pytest.mark.parametrize("modality", list(Modality))
def test_every_modality_has_a_tiny_file_that_loads_as_it(modality):
    data = TINY_FILES[modality]()
    assert default_modality(data) == modality
    assert load(data, modality) is not None
    assert len(data) < 10_000
