"""The class of real video clips, found from the sound alone and from the frames alone.

    python benchmarks/real_videos.py --videos FOLDER --features EVERYDAY.h5 [--space NAME]

``FOLDER`` holds ``labels.csv`` and the clips of ``videos_with_sound.tar``; ``EVERYDAY.h5`` is the
file the space was trained on (docs/compact.md). The space never saw a video of this kind. Each
clip's sound (its sound track), its frames (no sound) and its middle frame as a picture are placed
in the space, and the classes of the ten nearest training items of another modality vote: a sound
asks the pictures; frames and picture ask the sounds. Prints JSON: per clip the stated label,
whether it is certain, the three classes with most votes from each; and, for clips whose label is a
class of the space (see ``NAMES``), the share found first and among three, with chance.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np

from models.features.registry import extractor
from models.media.load import load
from models.spaces import load_space
from models.types import Image, Media, Modality, Video
from training.datasets.feature_data import FeatureData
from training.datasets.feature_file import read_feature_file
from training.datasets.split import TEST

NAMES = {  # label of a clip -> classes of the space that are right
    "dog": {"dog"},
    "dog barking": {"dog"},
    "baby": {"baby cry"},
    "drum": {"drum"},
    "fireworks": {"fireworks"},
    "canary calling": {"bird"},
    "playing bass drum": {"drum"},
    "playing bongo": {"drum"},
    "car engine knocking": {"engine"},
    "sheep bleating": {"sheep"},
}
NEIGHBOURS = 10
ASKED = {
    Modality.AUDIO: Modality.IMAGE,
    Modality.VIDEO: Modality.AUDIO,
    Modality.IMAGE: Modality.AUDIO,
}


class Gallery:
    """Training items of a modality in the space."""

    def __init__(self, space: Any, data: FeatureData, modality: Modality) -> None:
        view = data.views[modality]
        rows = view.split != TEST
        labels = np.asarray(view.labels)
        self._points = space.project(modality, view.features[rows])
        self._labels = [data.classes[k] for k in labels[rows].tolist()]

    def vote(self, point: np.ndarray) -> list[str]:
        """Classes of the nearest items, most votes first."""
        nearest = np.argsort(-(self._points @ point))[:NEIGHBOURS]
        return [name for name, _ in Counter(self._labels[k] for k in nearest).most_common(3)]

    def chance(self, right: set[str]) -> float:
        """Share of the gallery that has a right class."""
        return sum(label in right for label in self._labels) / len(self._labels)


def read(path: Path, modality: Modality) -> Media:
    """Sound track or frames of a clip; its middle frame as an image."""
    if modality is not Modality.IMAGE:
        return load(path, modality)
    video = cast("Video", load(path, Modality.VIDEO))
    return Image(video.frames[len(video.frames) // 2])


def main() -> None:
    """Ask for the class of every clip."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--space", type=Path, default=Path("models/pretrained/everyday"))
    options = parser.parse_args()
    manifest, space = load_space(options.space)
    readers = {view.name: extractor(view.extractor or "") for view in manifest.views}
    data = read_feature_file(options.features, seed=manifest.seed)
    galleries = {one: Gallery(space, data, target) for one, target in ASKED.items()}
    clips: list[dict[str, Any]] = []
    with (options.videos / "labels.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            clip = {"file": line["file"], "label": line["label"], "certain": line["certain"]}
            for modality, gallery in galleries.items():
                media = read(options.videos / line["file"], modality)
                row = readers[modality].pooled(media)[None]
                clip[str(modality)] = gallery.vote(space.project(modality, row)[0])
            clips.append(clip)
    known = [clip for clip in clips if clip["label"] in NAMES]
    summary = {
        str(modality): {
            "clips": len(known),
            "first": np.mean([clip[modality][0] in NAMES[clip["label"]] for clip in known]),
            "among_three": np.mean([bool(NAMES[c["label"]] & {*c[modality]}) for c in known]),
            "chance_first": np.mean([gallery.chance(NAMES[clip["label"]]) for clip in known]),
        }
        for modality, gallery in galleries.items()
    }
    sys.stdout.write(json.dumps({"summary": summary, "clips": clips}, indent=1) + "\n")


if __name__ == "__main__":
    main()
