"""AVE as used for retrieval: published features of 1,955 videos of 15 of its 28 classes.

A feature file, no media. Two protocols are in use that must not be mixed; see
docs/datasets/ave.md.
"""

from typing import Final

NAME: Final = "ave"
LICENCE: Final = (
    "none stated with the features; the videos are of others (YouTube): research only, do not "
    "redistribute"
)
CITATION: Final = (
    'Tian et al., "Audio-Visual Event Localization in Unconstrained Videos", ECCV 2018 (videos). '
    'Zhang et al., "Variational Autoencoder with CCA for Audio-Visual Cross-Modal Retrieval", ACM '
    "TOMM 2022 (the subset of 15 classes)"
)
HOW_TO_GET: Final = (
    "no download is published with the code of the papers, which reads "
    "AVE_feature_updated_squence.h5 (or ave_feature_norm.h5): ask the authors of the GitHub "
    "repositories zhangjiwei-japan/visual-audio-cross-modal-retrieval or ZenzenDatabase/CMR; then "
    "--data FILE"
)

CLASSES: Final = (
    "Clock",
    "Motorcycle",
    "Train horn",
    "Bark",
    "Cat",
    "Bus",
    "Rodents/rats",
    "Toilet flush",
    "Acoustic guitar",
    "Frying (food)",
    "Chainsaw",
    "Horse",
    "Helicopter",
    "Infant cry",
    "Truck",
)
"""Label -> class, in the order of the outputs of the networks in ZenzenDatabase/causalCMR."""

SPLITS: Final = ((1_766, 189),)
"""Rows outside test (training and validation) and in test: the 15-class protocol."""

N_ROWS: Final = 1_955
