"""One encoder per view."""

import pytest
import torch

from models.encoders.attention import attention_specification
from models.encoders.chain import Chain
from models.encoders.mlp import MLP, mlp_specification
from models.encoders.view_encoders import ViewEncoders

SPECIFICATIONS = {
    "visual.frames": mlp_specification((6, 4, 3)),  # a dot, which module names cannot have
    "audio": attention_specification(5, 8, 3, heads=2, dropout=0.0),
}


@pytest.fixture
def encoders():
    return ViewEncoders(SPECIFICATIONS).eval()


def test_views_keep_their_order_and_specifications(encoders):
    assert encoders.names == ["visual.frames", "audio"]
    assert encoders.specifications == SPECIFICATIONS


def test_a_view_is_embedded_by_its_own_encoder(encoders):
    rows = {"visual.frames": torch.randn(4, 6), "audio": torch.randn(4, 7, 5)}
    embedded = encoders.all(rows)
    assert list(embedded) == encoders.names
    for name, x in rows.items():
        assert embedded[name].shape == (4, 3)
        torch.testing.assert_close(embedded[name], encoders.of(name)(x))
        torch.testing.assert_close(encoders(name, x), embedded[name])


def test_weights_of_every_view_are_trained(encoders):
    own = sum(len(list(encoders.of(name).parameters())) for name in encoders.names)
    assert len(list(encoders.parameters())) == own


def test_an_encoder_of_a_known_kind_is_given_or_refused(encoders):
    assert encoders.of_kind("visual.frames", MLP) is encoders.of("visual.frames")
    with pytest.raises(TypeError, match="expected a Chain for audio, got AttentionEncoder"):
        encoders.of_kind("audio", Chain)


def test_mixed_precision_is_off_unless_asked_for(encoders):
    rows = torch.randn(4, 6)
    precise = encoders("visual.frames", rows)
    encoders.mixed_precision = True
    rough = encoders("visual.frames", rows)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, precise)
    torch.testing.assert_close(rough, precise, atol=0.05, rtol=0.05)
