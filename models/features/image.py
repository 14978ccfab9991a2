"""Zero-weight description of a picture: edges, colours and where they are."""

import numpy as np

from models.features.colour import HISTOGRAM_SIZE, colour_histogram
from models.features.extractor import ExtractorSpec
from models.features.figure_ground import FIGURE_NUMBERS, figure_and_ground
from models.features.gradients import block_normalised, orientation_histograms
from models.features.layout import RowLayout, Run
from models.features.pixels import cell_means, opponent_colours, squared
from models.features.texture import TEXTURE_NUMBERS, texture_statistics
from models.types import Float32Array, Float64Array, Image, Modality

_SIZE = 64
_FINE_CELLS, _FINE_ORIENTATIONS = 8, 8
_COARSE_CELLS, _COARSE_ORIENTATIONS = 4, 12
_GRADIENT_FLOOR = 0.5
_LAYOUT = RowLayout(  # one spread for all: values in [0, 1] that vary by about 0.1
    Run("fine gradients", _FINE_CELLS**2 * _FINE_ORIENTATIONS, 1.0),
    Run("coarse gradients", _COARSE_CELLS**2 * _COARSE_ORIENTATIONS, 1.0),
    Run("luma", _FINE_CELLS**2, 1.0),
    Run("chroma", _COARSE_CELLS**2 * 2, 1.0),
    Run("colour histogram", HISTOGRAM_SIZE, 1.0),
    Run("figure and ground", FIGURE_NUMBERS, 1.0),
    Run("texture", TEXTURE_NUMBERS, 1.0),
    Run("proportion", 1, 1.0),
)


class GradientColour:
    """Extractor ``gradient-colour``: oriented gradients at two scales, colour layout, texture.

    The picture is stretched to 64 x 64, so proportions are kept as one number only.
    """

    layout = _LAYOUT

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        return ExtractorSpec(
            name="gradient-colour",
            modality=Modality.IMAGE,
            dimension=_LAYOUT.dimension,
            sequence_dimension=_FINE_ORIENTATIONS + 7,
            parameters={"version": 2, "size": _SIZE},
        )

    def sequence(self, media: Image) -> Float32Array:
        """Return 64 cells of 1/8 of the sides in reading order, shape (64, 15).

        Each row holds 8 gradient directions, the edge strength, and mean and deviation of the
        three opponent colours.
        """
        colours = opponent_colours(squared(media.pixels, _SIZE))[None]
        histograms = _fine_histograms(colours[..., 0])
        means = cell_means(colours, _FINE_CELLS)
        deviations = np.sqrt(np.maximum(0.0, cell_means(colours**2, _FINE_CELLS) - means**2))
        strength = np.sqrt(histograms.sum(axis=3, keepdims=True))
        cells = [block_normalised(histograms, floor=_GRADIENT_FLOOR), strength, means, deviations]
        rows = np.concatenate(cells, axis=3).reshape(_FINE_CELLS**2, -1)
        return rows.astype(np.float32)

    def pooled(self, media: Image) -> Float32Array:
        """Return one row for the picture, shape (886,)."""
        colours = opponent_colours(squared(media.pixels, _SIZE))[None]
        luma = colours[..., 0]
        half = cell_means(colours, _SIZE // 2)
        coarse = orientation_histograms(
            half[..., 0], cells=_COARSE_CELLS, orientations=_COARSE_ORIENTATIONS
        )
        rows, columns = media.pixels.shape[:2]
        parts = [
            block_normalised(_fine_histograms(luma), floor=_GRADIENT_FLOOR),
            block_normalised(coarse, floor=_GRADIENT_FLOOR),
            cell_means(luma[..., None], _FINE_CELLS),
            cell_means(colours[..., 1:], _COARSE_CELLS),
            colour_histogram(colours),
            figure_and_ground(half),
            texture_statistics(colours[0]),
            np.log(np.array([rows / columns])),
        ]
        return _LAYOUT.row(parts)


def _fine_histograms(luma: Float64Array) -> Float64Array:
    return orientation_histograms(luma, cells=_FINE_CELLS, orientations=_FINE_ORIENTATIONS)
