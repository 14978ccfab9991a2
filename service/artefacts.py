"""The spaces to serve: found by their manifests, checked against this installation, then opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import ArtefactError
from models.features.registry import extractor
from models.spaces import MANIFEST, SharedSpace, SpaceManifest, load_space, read_manifest
from models.types import Modality, View
from service.catalog.records import SpaceRef
from service.settings import Settings, shipped_spaces


@dataclass(frozen=True, slots=True)
class SpaceFolder:
    """A space on disk whose manifest was read; its weights were not.

    Attributes:
        folder: The artefact folder.
        manifest: What it says of itself.
    """

    folder: Path
    manifest: SpaceManifest

    @property
    def name(self) -> str:
        """Name of the space in addresses and answers."""
        return self.manifest.name

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What the space covers, in the order of ``Modality``."""
        names = {view.name for view in self.manifest.views}
        return tuple(modality for modality in Modality if modality in names)

    @property
    def ref(self) -> SpaceRef:
        """The identity that the collection keeps beside its vectors."""
        return SpaceRef(
            name=self.name,
            fingerprint=self.manifest.fingerprint,
            modalities=self.modalities,
            n_components=self.manifest.n_components,
        )

    def view(self, modality: Modality) -> View:
        """Return the view of a modality that the space covers."""
        return next(view for view in self.manifest.views if view.name == modality)

    def extractor_name(self, modality: Modality) -> str:
        """Return which extractor makes the feature rows of a modality that the space covers.

        Raises:
            ArtefactError: When the space was trained on features from elsewhere.
        """
        name = self.view(modality).extractor
        if name is None:
            raise ArtefactError(
                f"{self.folder}: view {modality.value!r} names no extractor, so no file can "
                "become a query; extract features with Kyomei (kyomei extract) and train again"
            )
        return name

    def takes_windows(self, modality: Modality) -> bool:
        """Whether the extractor of a modality was trained on windows of songs.

        It says so by a parameter ``windows``; see ``models.features.windows``.
        """
        return bool(self.manifest.extractor_parameters.get(modality, {}).get("windows"))

    def open(self) -> SharedSpace:
        """Read the weights.

        Raises:
            ArtefactError: When they are missing or do not fit the manifest.
        """
        return load_space(self.folder)[1]


def find_spaces(settings: Settings) -> tuple[SpaceFolder, ...]:
    """Read the manifests of the spaces to serve, weights untouched.

    Args:
        settings: ``spaces`` names artefact folders or folders that hold some; empty means the
            shipped ones.

    Raises:
        ArtefactError: When there is none, one is broken, two share a name, a space cannot be
            served (no modality among its views), or an extractor differs from that of training.
    """
    roots = settings.spaces or (shipped_spaces(),)
    found = tuple(
        SpaceFolder(folder, read_manifest(folder)) for root in roots for folder in _folders(root)
    )
    names = [space.name for space in found]
    if not found:
        places = ", ".join(map(str, roots))
        raise ArtefactError(
            f"expected a space in {places}, found none; "
            "train one (kyomei train) and name its folder in KYOMEI_SPACES"
        )
    if len(set(names)) < len(names):
        raise ArtefactError(f"expected spaces of different names, got {', '.join(sorted(names))}")
    for space in found:
        _check_views(space)
    return found


def served_pairs(spaces: Sequence[SpaceFolder]) -> dict[tuple[Modality, Modality], list[str]]:
    """Return (source, target) -> names of the spaces that cover both, in the order given.

    A name comes once, although spaces of several collections may share it.
    """
    pairs = {
        (source, target): [s.name for s in spaces if {source, target} <= set(s.modalities)]
        for source in Modality
        for target in Modality
    }
    return {pair: list(dict.fromkeys(names)) for pair, names in pairs.items() if names}


def _folders(root: Path) -> list[Path]:
    if (root / MANIFEST).is_file():
        return [root]
    return sorted(path.parent for path in root.glob(f"*/{MANIFEST}"))


def _check_views(space: SpaceFolder) -> None:
    if not space.modalities:
        names = ", ".join(view.name for view in space.manifest.views)
        raise ArtefactError(
            f"{space.folder}: expected views named after modalities "
            f"({', '.join(Modality)}), got {names}; such a space can be evaluated, not served"
        )
    for modality in space.modalities:
        _check_extractor(space, modality)


def _check_extractor(space: SpaceFolder, modality: Modality) -> None:
    """A space is only right for the very features that it was trained on."""
    name, trained_on = space.extractor_name(modality), space.view(modality).extractor_fingerprint
    installed = extractor(name).spec
    if installed.fingerprint != trained_on:
        then = space.manifest.extractor_parameters.get(modality.value, {})
        raise ArtefactError(
            f"{space.folder}: view {modality.value!r} was trained on extractor {name!r} with "
            f"fingerprint {trained_on}, installed is {installed.fingerprint}"
            f"{_differences(then, installed.parameters)}; run kyomei extract and kyomei "
            "train again, or install the version of Kyomei that trained it "
            f"({space.manifest.code_version}) and its weights"
        )


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Parameters that changed, such as the hash of the weights; nothing where none were kept."""
    changed = [key for key in sorted({*then, *now}) if then.get(key) != now.get(key)]
    words = [f"{key} was {then.get(key)}, is {now.get(key)}" for key in changed]
    return f" ({'; '.join(words)})" if then and words else ""
