import tarfile

import pytest

from models.errors import DataError
from tests.training.datasets.tiny_packs import tar_of, write_tar
from training.datasets.packs import Pack, find_pack

PACK = Pack("sounds", "sounds.tar", "Sounds/clips")


@pytest.fixture
def content(tmp_path):
    folder = tmp_path / "content"
    (folder / "Sounds/clips").mkdir(parents=True)
    (folder / "Sounds/clips/a.ogg").write_bytes(b"a")
    return folder


def test_an_unpacked_folder_is_used_as_it_is(tmp_path, content):
    (tmp_path / "packs").mkdir()
    content.rename(tmp_path / "packs/sounds")

    found = find_pack(PACK, tmp_path / "packs", cache=tmp_path / "cache")

    assert found == tmp_path / "packs/sounds/Sounds/clips"
    assert not (tmp_path / "cache").exists()


def test_the_root_may_be_the_pack_itself(tmp_path, content):
    assert find_pack(PACK, content) == content / "Sounds/clips"


@pytest.mark.parametrize("name", ["sounds.tar", "sounds.tar.xz"])
def test_an_archive_is_unpacked_once(tmp_path, content, name):
    root, cache = tmp_path / "packs", tmp_path / "cache"
    root.mkdir()
    archive = write_tar(root / name, content)
    pack = Pack("sounds", name, "Sounds/clips")

    found = find_pack(pack, root, cache=cache)
    archive.unlink()

    assert found == cache / "sounds/Sounds/clips"
    assert (found / "a.ogg").read_bytes() == b"a"
    assert find_pack(pack, root, cache=cache) == found
    assert [path.name for path in cache.iterdir()] == ["sounds"]
    assert list(root.iterdir()) == []


def test_the_cache_is_looked_into_without_a_root(tmp_path, content, monkeypatch):
    write_tar(tmp_path / "sounds.tar", content)
    monkeypatch.chdir(tmp_path)

    assert find_pack(PACK, None, cache=tmp_path) == tmp_path / "sounds/Sounds/clips"
    assert not (tmp_path / "data_local").exists()


def test_the_default_cache_is_data_local(tmp_path, content, monkeypatch):
    write_tar(tmp_path / "sounds.tar", content)
    monkeypatch.chdir(tmp_path)

    find_pack(PACK, tmp_path)

    assert (tmp_path / "data_local/sounds/Sounds/clips/a.ogg").exists()


def test_a_single_file_needs_no_unpacking(tmp_path):
    (tmp_path / "digits.npz").write_bytes(b"npz")

    found = find_pack(Pack("digits", "digits.npz", None), tmp_path)

    assert found == tmp_path / "digits.npz"


@pytest.mark.parametrize(
    ("pack", "wanted"),
    [(PACK, "sounds/Sounds/clips or sounds.tar"), (Pack("d", "d.npz", None), "d.npz")],
)
def test_a_missing_pack_says_what_and_where(tmp_path, pack, wanted):
    with pytest.raises(DataError, match=wanted) as caught:
        find_pack(pack, tmp_path, cache=tmp_path / "cache")
    for part in (str(tmp_path), "README.md", "--root"):
        assert part in str(caught.value)


def _refused(tmp_path, match):
    with pytest.raises(DataError, match=match):
        find_pack(PACK, tmp_path, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def _link(target):
    member = tarfile.TarInfo("Sounds")
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    "member", [tarfile.TarInfo("../outside"), _link("/etc"), _link("../../outside")]
)
def test_members_that_point_outside_are_refused(tmp_path, member):
    tar_of(tmp_path / "sounds.tar", member)

    _refused(tmp_path, "expected an undamaged tar archive")
    assert not (tmp_path / "outside").exists()


def test_an_absolute_member_stays_inside(tmp_path):
    tar_of(tmp_path / "sounds.tar", tarfile.TarInfo("/Sounds/clips/a.ogg"), b"a")

    assert find_pack(PACK, tmp_path, cache=tmp_path / "cache").is_dir()


@pytest.mark.parametrize("damage", ["no tar", "truncated"])
@pytest.mark.parametrize("name", ["sounds.tar", "sounds.tar.xz"])
def test_a_damaged_archive_leaves_nothing_behind(tmp_path, content, name, damage):
    (content / "Sounds/clips/b.ogg").write_bytes(bytes(range(256)) * 200)
    archive = write_tar(tmp_path / name, content)
    whole = archive.read_bytes()
    archive.write_bytes(b"nothing" * 99 if damage == "no tar" else whole[: len(whole) // 2])

    with pytest.raises(DataError, match="expected an undamaged tar archive"):
        find_pack(Pack("sounds", name, "Sounds/clips"), tmp_path, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_archive_of_that_name_is_refused(tmp_path):
    tar_of(tmp_path / "sounds.tar", tarfile.TarInfo("Other/a.ogg"), b"a")

    _refused(tmp_path, "expected Sounds/clips inside")


def test_an_incomplete_folder_in_the_cache_is_named(tmp_path, content):
    write_tar(tmp_path / "sounds.tar", content)
    (tmp_path / "cache/sounds/half").mkdir(parents=True)

    with pytest.raises(DataError, match="found one without Sounds/clips; delete it"):
        find_pack(PACK, tmp_path, cache=tmp_path / "cache")
