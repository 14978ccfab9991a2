"""Attention pooling against a loop over queries and steps."""

import numpy as np
import torch

from models.encoders.attention import AttentionEncoder, attention_specification


def fresh(heads=3, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = AttentionEncoder(attention_specification(5, 8, 4, heads=heads, dropout=0.4))
    return encoder.eval().requires_grad_(False)


def draw(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_weights_of_a_query_sum_to_one_over_time():
    encoder = fresh()
    weights = encoder.weights(encoder.steps(draw(6, 9, 5)))
    assert weights.shape == (6, 9, 3)
    assert (weights > 0.0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(6, 3))


def test_pooling_equals_a_loop_over_queries_and_steps():
    encoder, rows = fresh(), draw(2, 4, 5)
    steps = encoder.steps(rows)
    scores = encoder.scores(steps).numpy()
    linear = encoder.output[1]
    for item in range(2):
        pooled = []
        for query in range(3):
            shares = np.exp(scores[item, :, query])
            shares /= shares.sum()
            pooled.append(sum(shares[t] * steps[item, t].numpy() for t in range(4)))
        pooled.append(np.mean(steps[item].numpy(), axis=0))
        expected = linear.weight.numpy() @ np.concatenate(pooled) + linear.bias.numpy()
        np.testing.assert_allclose(encoder(rows)[item], expected, atol=1e-5)


def test_hidden_steps_are_normalised_linear_maps_of_each_step():
    encoder, rows = fresh(), draw(2, 4, 5)
    linear = encoder.step[1]
    hidden = (rows @ linear.weight.T + linear.bias).numpy()
    hidden = hidden - hidden.mean(2, keepdims=True)
    hidden = torch.from_numpy(hidden / np.sqrt(hidden.var(2, keepdims=True) + 1e-5))
    torch.testing.assert_close(encoder.steps(rows), torch.nn.functional.gelu(hidden))


def test_the_order_of_steps_changes_nothing():
    encoder, rows = fresh(), draw(3, 7, 5)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(encoder(rows[:, order]), encoder(rows))


def test_a_step_said_twice_by_all_changes_nothing():
    encoder, rows = fresh(), draw(3, 4, 5)
    torch.testing.assert_close(encoder(rows.repeat(1, 2, 1)), encoder(rows))


def test_queries_look_at_different_steps():
    encoder = fresh()
    weights = encoder.weights(encoder.steps(draw(1, 9, 5)))[0]
    assert (weights[:, 0] - weights[:, 1]).abs().max() > 0.01


def test_a_pooled_row_is_a_sequence_of_one_step():
    encoder, rows = fresh(), draw(3, 5)
    assert encoder.steps(rows).shape == (3, 1, 8)
    torch.testing.assert_close(encoder(rows), encoder(rows[:, None]))
