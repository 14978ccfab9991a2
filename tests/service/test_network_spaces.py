"""A space of networks on sequences: trained, indexed, searched like any other."""

from dataclasses import replace

import numpy as np
import pytest

from models.features.registry import extractor
from models.features.steps import resample_steps
from models.media.load import load
from models.types import Modality
from service.engine import Engine, SearchOptions
from service.ingest import index_folder
from tests.service.small_media import N_CLASSES
from tests.weightless import WEIGHTLESS
from training.artefact import train_space
from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.sequence_recipes import AttentionConfig

STEPS, PLACES = 3, 4
VIEWS = (Modality.AUDIO, Modality.IMAGE)


def _sequences(world, modality):
    """Features over time of the everyday of the small world, one item per class and place."""
    reader = extractor(WEIGHTLESS[modality])
    labels = np.repeat(np.arange(N_CLASSES), PLACES)
    places = np.tile(np.arange(PLACES), N_CLASSES)
    rows = [
        resample_steps(
            reader.sequence(load(world.file("everyday", modality, c, p), modality)), STEPS
        )
        for c, p in zip(labels, places, strict=True)
    ]
    ids = np.array([f"c{c}/{p}" for c, p in zip(labels, places, strict=True)])
    split = np.where(places == PLACES - 1, "validation", "train")
    view = FeatureView(np.stack(rows), ids, labels.astype(np.int64), split)
    return view, (reader.spec.name, reader.spec.fingerprint)


@pytest.fixture(scope="module")
def sequence_engine(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    made = {modality.value: _sequences(world, modality) for modality in VIEWS}
    data = FeatureData(
        views={name: view for name, (view, _) in made.items()},
        classes=tuple(f"c{c}" for c in range(N_CLASSES)),
        extractors={name: identity for name, (_, identity) in made.items()},
    )
    config = AttentionConfig(n_components=8, width=16, heads=2, epochs=20, dropout=0.0)
    train_space("attention", data, folder / "spaces/moving", config=config, seed=0, progress=False)
    settings = replace(world, spaces=folder / "spaces").settings(folder / "data")
    opened = Engine.open(settings)
    # videos of the small world have no place in this space and are passed over with a reason
    index_folder(opened.embedder, opened.collection, world.media / "everyday", progress=False)
    yield opened
    opened.close()


def test_a_file_is_embedded_over_time_as_in_training(sequence_engine, world):
    embedder = sequence_engine.embedder
    media = embedder.decode(world.file("everyday", "audio", 1), Modality.AUDIO)
    features = embedder.features(media, "moving", Modality.AUDIO)
    reader = extractor(WEIGHTLESS[Modality.AUDIO])
    np.testing.assert_array_equal(features, resample_steps(reader.sequence(media), STEPS))
    assert features.shape == (STEPS, reader.spec.sequence_dimension)


def test_a_sound_finds_pictures_of_its_class(sequence_engine, world):
    right = 0
    for label in range(N_CLASSES):
        query = world.file("everyday", "audio", label)
        options = SearchOptions(k=1, space="moving")
        answer = sequence_engine.search(query, Modality.AUDIO, Modality.IMAGE, options)
        right += answer.results[0].item.label == f"c{label}"
    assert right > N_CLASSES / 2  # chance: 1
