"""The translating transformer."""

import pytest
import torch

from models.encoders.transformer import positions, transformer_specification
from models.transformer import TransformerNetwork, TranslationDecoder

DIMENSIONS = {"audio": 5, "visual": 6}


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoders = {
            name: transformer_specification(d, 8, 3, layers=1, heads=2, dropout=0.0)
            for name, d in DIMENSIONS.items()
        }
        return TransformerNetwork(encoders, hidden=8, heads=2, dimensions=DIMENSIONS).eval()


@pytest.mark.parametrize("view", DIMENSIONS)
def test_the_embedding_is_that_of_the_encoder_alone(network, view):
    rows = torch.randn(4, 7, DIMENSIONS[view])
    embedding, steps = network.embed(view, rows)
    torch.testing.assert_close(embedding, network.encoders(view, rows))
    torch.testing.assert_close(steps, network.encoders.of(view).steps(rows))
    assert steps.shape == (4, 7, 8)


@pytest.mark.parametrize("target", DIMENSIONS)
@pytest.mark.parametrize("n_steps", [1, 9])
def test_any_view_is_written_in_any_length_from_steps_of_another(network, target, n_steps):
    steps = torch.randn(4, 7, 8)
    written = network.translate(steps, target, n_steps)
    assert written.shape == (4, n_steps, DIMENSIONS[target])
    number = list(DIMENSIONS).index(target)
    torch.testing.assert_close(written, network.decoders[number](steps, n_steps))


def test_the_decoder_reads_steps_with_positions_as_queries(network):
    decoder, steps = network.decoders[0], torch.randn(2, 7, 8)
    queries = (decoder.start + positions(4, 8)).expand(2, -1, -1)
    expected = decoder.output(decoder.block(queries, steps))
    torch.testing.assert_close(decoder(steps, 4), expected)


def test_steps_of_an_item_are_written_at_different_times():
    decoder = TranslationDecoder(hidden=8, heads=2, dimension=5).eval()
    written = decoder(torch.randn(1, 7, 8), 4)[0]
    assert (written[0] - written[3]).abs().max() > 1e-3


def test_items_of_a_batch_are_written_from_their_own_steps(network):
    steps = torch.randn(4, 7, 8)
    alone = network.translate(steps[2:3], "visual", 5)
    torch.testing.assert_close(network.translate(steps, "visual", 5)[2:3], alone)
