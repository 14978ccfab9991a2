"""Small configurations, batches and objectives for tests of the gradient methods."""

from dataclasses import fields

import numpy as np
import torch

from models.encoders.mlp import mlp_specification
from models.encoders.view_encoders import ViewEncoders
from training.loops.batches import Batch
from training.loops.network_problem import pose_problem
from training.loops.objective import Moment, Objective

TINY = {
    "epochs": 3,
    "patience": 3,
    "smoothing": 1,
    "hidden": (8,),
    "n_components": 3,
    "batch_size": 16,
    "learning_rate": 0.01,
    "dropout": 0.1,
    "dropout_factors": (1.0,),
    "outputs": 4,
    "latent": 4,
    "width": 8,
    "heads": 2,
    "discriminator": (4,),
    "device": "cpu",
}
START = Moment(0.0, 0)


def tiny(kind, **changes):
    """A configuration that is trained in a moment."""
    names = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in TINY.items() if key in names} | changes)


def problem_of(data, *, sequences=False):
    """The rows of a data set as a gradient method gets them."""
    return pose_problem(data.for_selection(), sequences=sequences)


def random_batch(*, seed=0, size=10, dimensions=(6, 5), n_classes=3, unknown=0.2, missing=0.3):
    """Slots of two or three views: some rows of unknown class, some filled in for another's."""
    rng = np.random.default_rng(seed)
    features, labels, own = {}, {}, {}
    slots = rng.integers(n_classes, size=size)
    for name, dimension in zip(("audio", "visual", "text"), dimensions, strict=False):
        shape = (size, *dimension) if isinstance(dimension, tuple) else (size, dimension)
        features[name] = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
        is_own = rng.random(size) >= missing
        found = np.where(rng.random(size) < unknown, -1, slots)
        labels[name], own[name] = torch.from_numpy(found), torch.from_numpy(is_own)
    return Batch(features, labels, own)


def evaluated(objective, batch, moment=START):
    """Parts of a loss as numbers, without dropout."""
    return {n: float(p.detach()) for n, p in objective.eval().loss(batch, moment).items()}


def outputs_of(objective, batch):
    """Outputs of the encoders as NumPy arrays in double precision, without dropout."""
    with torch.inference_mode():
        outputs = objective.eval().encoders.all(batch.features)
    return {name: x.double().numpy() for name, x in outputs.items()}


class TinyNetwork(torch.nn.Module):
    """A linear encoder per view, D to 2."""

    def __init__(self, dimensions, dropout=0.0):
        super().__init__()
        self.encoders = ViewEncoders(
            {
                name: mlp_specification((d, 2), input_dropout=dropout)
                for name, d in dimensions.items()
            }
        )


class Nearer(Objective):
    """Outputs of one slot are to be alike and of length one; with dropout it needs torch's seed."""

    def __init__(self, dimensions, dropout=0.0):
        network = TinyNetwork(dimensions, dropout)
        super().__init__(network)
        self.network = network
        self.seen = []

    def loss(self, batch, moment):
        self.seen.append((batch, moment, self.training))
        rows = list(self.encoders.all(batch.features).values())
        lengths = torch.stack([(x.norm(dim=1) - 1.0).square().mean() for x in rows]).mean()
        return {"apart": (rows[0] - rows[1]).square().mean(), "length": lengths}
