"""VEGAS: published features of 28,103 videos of 10 classes; a feature file, no media.

Facts on folds: methods and code of TNN-C-CCA (Zeng, Yu, Oyama 2020). See docs/datasets/vegas.md.
"""

from typing import Final

NAME: Final = "vegas"
LICENCE: Final = (
    "none stated with the features; the videos are of others (YouTube): research only, do not "
    "redistribute"
)
CITATION: Final = (
    'Zeng, Yu, Oyama, "Deep triplet neural networks with cluster-CCA for audio-visual cross-modal '
    'retrieval", ACM TOMM 16(3), 2020 (features). Zhou et al., "Visual to Sound: Generating '
    'Natural Sound for Videos in the Wild", CVPR 2018 (videos)'
)
HOW_TO_GET: Final = (
    "get vegas_feature.h5 from the drive folder of the first author that the README of the GitHub "
    "repository ZenzenDatabase/CMR names, or ask its author; then --data vegas_feature.h5"
)

CLASSES: Final = (
    "baby crying",
    "chainsaw",
    "dog",
    "drum",
    "fireworks",
    "helicopter",
    "printer",
    "rail transport",
    "snoring",
    "water flowing",
)
"""The ten classes in alphabetical order. Which label is which is not known."""

SPLITS: Final = ((22_483, 5_620), (22_482, 5_621))
"""Rows outside test (training and validation) and in test, of the five published folds."""
