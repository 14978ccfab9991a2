"""Real sounds, pictures, videos and songs go in and come out again (only where the data is)."""

import contextlib
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from models.types import Modality
from service.catalog.records import Filter
from service.engine import Engine, SearchOptions
from service.ingest import index_folder

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PACKS = {
    ("esc10.tar", ".ogg", 16): "audio",
    ("caltech101_subset.tar", ".jpg", 240): "image",
    ("videos_with_sound.tar", ".mp4", 1): "video",
    ("openscore_lieder.tar.xz", ".xml", 160): "score",
    ("openscore_lieder.tar.xz", ".txt", 160): "lyrics",
}
pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data"),
]


def unpack(folder):
    """Write every n-th file of each pack to folder/MODALITY/CLASS/file."""
    for (pack, suffix, step), modality in PACKS.items():
        with tarfile.open(DATA / pack) as archive:
            members = [m for m in archive.getmembers() if m.name.endswith(suffix)]
            for member in sorted(members, key=lambda m: m.name)[::step]:
                name = PurePosixPath(member.name)
                if name.name in {"README.txt", "LICENSE.txt"}:
                    continue
                place = folder / modality / name.parent.name / name.name
                place.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                place.write_bytes(content.read())


@pytest.fixture(scope="module")
def real(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    unpack(folder / "media")
    settings = world.settings(folder / "data", decode_workers=2)
    with contextlib.closing(Engine.open(settings)) as engine:
        report = index_folder(engine.embedder, engine.collection, folder / "media", progress=False)
        yield engine, report, folder / "media"


def test_real_files_of_every_modality_are_indexed(real):
    engine, report, folder = real
    n_files = sum(path.is_file() for path in folder.rglob("*"))
    assert report.skipped == ()
    assert report.added + report.present == n_files
    assert set(engine.collection.statistics().items) == set(Modality)


def test_sound_and_frames_of_a_real_video_are_both_queries(real):
    engine, _, folder = real
    for path in sorted((folder / "video").rglob("*.mp4"))[::4]:
        frames = engine.search(path, Modality.VIDEO, Modality.VIDEO, SearchOptions(k=1))
        assert frames.results[0].item.title == path.stem
        sound = engine.search(path, Modality.AUDIO, Modality.IMAGE, SearchOptions(k=3))
        assert len(sound.results) == 3
        assert sound.query.duration_seconds > 0


@pytest.mark.parametrize("modality", list(Modality))
def test_every_real_item_finds_itself_first(real, modality):
    engine, _, _ = real
    items, _ = engine.collection.items(Filter(modality=modality), 0, 500)
    for item in items:
        answer = engine.similar(item, modality, SearchOptions(k=1), include_self=True)
        best = answer.results[0]
        assert best.score == pytest.approx(answer.typicality, abs=1e-5)
        assert best.item.id == item.id
