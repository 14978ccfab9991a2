"""The commands as a user types them; a mistake is one line on stderr and exit code 2."""

import json
import re
import shutil
import socket
import sys

import pytest

import kyomei
from tests.service.small_media import picture, sound


@pytest.fixture
def run(world, tmp_path, monkeypatch, capfd):
    """Run ``kyomei ...`` in this process; gives (exit code, stdout, stderr)."""
    for name, value in {
        "KYOMEI_DATA": str(tmp_path / "data"),
        "KYOMEI_SPACES": str(world.spaces),
        "KYOMEI_INDEX_DEVICE": "cpu",
        "KYOMEI_DECODE_WORKERS": "1",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["kyomei", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            kyomei.main()
        said = capfd.readouterr()
        return ended.value.code or 0, said.out, said.err

    return command


def one_line(error):
    lines = [line for line in error.splitlines() if line.strip()]
    assert len(lines) == 1, error
    return lines[0]


def test_index_then_search_then_index_again(run, world):
    code, out, _ = run("index", world.media / "everyday")
    assert code == 0
    assert "72 added, 0 already there, 0 skipped" in out
    query = world.file("everyday", "audio", 2, 1)
    code, out, _ = run("search", query, "--to", "video", "-k", "3")
    assert code == 0
    assert re.match(r" +1 +\d\.\d{3} +\d \[c2\] +[0-9a-f]{20}\n", out)
    assert len(out.splitlines()) == 3
    code, out, _ = run("index", world.media / "everyday")
    assert code == 0
    assert "0 added, 72 already there" in out


def test_search_prints_the_answer_of_the_http_surface(run, world, copy_of_indexed):
    query = world.file("everyday", "video", 1)
    code, out, _ = run(
        "search", query, "--to", "image", "--from", "audio", "--json", "-k", "2",
        "--data", copy_of_indexed,
    )  # fmt: skip
    answer = json.loads(out)
    assert code == 0
    assert answer["query"]["modality"] == "audio"
    assert len(answer["results"]) == 2


def test_a_far_off_query_is_told_on_stderr(run, tmp_path, copy_of_indexed):
    noise = tmp_path / "white.png"
    noise.write_bytes(picture(0))
    from PIL import Image

    Image.effect_noise((300, 300), 200).convert("RGB").save(noise)
    code, _, err = run("search", noise, "--to", "video", "--data", copy_of_indexed)
    assert code == 0
    assert "treat the answers with care" in err


def test_skipped_files_are_named_on_stderr(run, tmp_path):
    folder = tmp_path / "media" / "audio"
    folder.mkdir(parents=True)
    (folder / "good.wav").write_bytes(sound(0))
    (folder / "bad.wav").write_bytes(b"")
    code, out, err = run("index", tmp_path / "media")
    assert code == 0
    assert "1 added" in out
    assert "skipped audio/bad.wav: expected a media file, got 0 bytes" in err


def test_a_manifest_is_indexed_and_its_mistakes_are_named_with_their_line(run, tmp_path):
    (tmp_path / "good.wav").write_bytes(sound(0))
    manifest, report = tmp_path / "list.csv", tmp_path / "skipped.jsonl"
    manifest.write_text("path,modality\ngood.wav,audio\ngone.wav,audio\n")
    code, out, _ = run("index", manifest, "--report", report, "--workers", "1")
    assert (code, "1 added, 0 already there, 1 skipped" in out) == (0, True)
    assert json.loads(report.read_text())["path"] == "gone.wav"
    manifest.write_text("path,modality\n../good.wav,audio\n")
    code, _, err = run("index", manifest)
    assert code == 2
    assert "line 2: path '../good.wav' leaves the folder of the manifest" in one_line(err)


def test_ray_without_its_package_or_a_cluster_is_one_line(run, tmp_path, monkeypatch):
    code, _, err = run("index", tmp_path, "--ray", "127.0.0.1:1")
    assert code == 2
    assert "--ray 127.0.0.1:1: expected the address of a Ray cluster" in one_line(err)
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "service.ray_reader")
    code, _, err = run("index", tmp_path, "--ray", "local")
    assert code == 2
    assert "pip install 'kyomei[ray]'" in one_line(err)


def test_nothing_to_index_is_exit_code_1(run, tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "x.bin").write_bytes(b"\x7fELF" + bytes(99))
    code, out, _ = run("index", tmp_path / "media")
    assert (code, "0 added" in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("index", "no/such/folder"), "there is no no/such/folder"),
        (("search", "no_file.wav", "--to", "video"), "there is no file no_file.wav"),
        (("demo", "--media", "nowhere", "--port", "0"), "run kyomei build-demo --out nowhere"),
        (("serve", "--host", "203.0.113.7"), "choose another with --port"),
        (("serve", "--port", "99999"), "KYOMEI_PORT"),
        (("serve", "--port", "0", "--space-folder", "nowhere"), "expected a space in nowhere"),
        (("reindex", "--space-folder", "nowhere"), "expected a space in nowhere"),
        (("check", "--data", "nowhere"), "expected a collection in nowhere"),
        (("backup", "--data", "nowhere", "--to", "x"), "expected a collection"),
        (("restore", "nowhere"), "expected a backup in nowhere"),
        (("migrate", "--data", "nowhere"), "expected a collection in nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2
    assert said in one_line(err)


def test_a_data_folder_that_cannot_be_made_is_one_line(run, world, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run("index", world.media / "everyday", "--data", tmp_path / "file")
    assert code == 2
    assert str(tmp_path / "file") in one_line(err)


def test_a_space_opened_later_is_said_to_be_empty(run, world, copy_of_indexed, tmp_path):
    other = shutil.copytree(world.spaces / "everyday", tmp_path / "spaces" / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "name": "other"}))
    query = world.file("everyday", "audio", 1)
    options = ["--to", "video", "--data", copy_of_indexed, "--space-folder", other]
    code, out, err = run("search", query, *options)
    assert (code, out) == (0, "")
    assert "space other holds none of the items: run kyomei reindex" in err


def test_an_unknown_space_is_refused(run, world):
    code, _, err = run("index", world.media / "everyday", "--space", "nonsense")
    assert code == 2
    assert "expected a space of everyday, songs, got nonsense" in one_line(err)


def test_a_file_that_cannot_be_read_is_refused(run, tmp_path):
    (tmp_path / "x.wav").write_bytes(b"")
    code, _, err = run("search", tmp_path / "x.wav", "--to", "video")
    assert code == 2
    assert "got 0 bytes" in one_line(err)


def test_a_taken_port_is_found_before_anything_is_loaded(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = run("serve", "--port", taken.getsockname()[1])
    assert code == 2
    assert "ddress already in use" in one_line(err)


def test_a_space_trained_again_asks_for_reindex_and_is_repaired_by_it(
    run, world, tmp_path, copy_of_indexed
):
    from tests.service.small_world import SPACE_VIEWS, fit_space

    spaces = shutil.copytree(world.spaces, tmp_path / "spaces")
    fit_space(world.media / "songs", spaces / "songs", SPACE_VIEWS["songs"], ridge=5.0)
    options = ("--data", copy_of_indexed, "--space-folder", spaces)
    query = world.file("songs", "lyrics", 2, 1)
    code, _, err = run("search", query, "--to", "lyrics", *options)
    assert code == 2
    assert "kyomei reindex" in one_line(err)
    code, out, _ = run("reindex", *options)
    assert code == 0
    assert "everyday: 72 items placed\nsongs: 72 items placed\n" in out
    code, out, _ = run("search", query, "--to", "lyrics", "-k", "1", *options)
    assert code == 0
    assert re.search(r"1\.000 +1 \[c2\]", out)


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in ("serve", "demo", "index", "search", "reindex", "check", "backup", "restore"):
        assert command in out


def test_check_says_what_is_wrong_and_repair_mends_it(run, copy_of_indexed):
    options = ("--data", copy_of_indexed, "--quiet")
    code, out, _ = run("check", *options)
    assert (code, "144 items" in out, out.endswith("clean\n")) == (0, True, True)
    next((copy_of_indexed / "media").rglob("*.png")).write_bytes(b"gone bad")
    code, out, _ = run("check", *options)
    assert (code, "media-damaged" in out, "try --repair" in out) == (1, True, True)
    code, out, _ = run("check", "--repair", "--json", *options)
    report = json.loads(out)
    assert (code, report["clean"], len(report["repairs"])) == (0, True, 1)


def test_backup_and_restore(run, copy_of_indexed, tmp_path):
    code, out, _ = run("backup", "--data", copy_of_indexed, "--to", tmp_path / "b", "--quiet")
    assert (code, "144 items" in out) == (0, True)
    again = ("--data", tmp_path / "again", "--quiet")
    code, out, _ = run("restore", tmp_path / "b", *again)
    assert (code, "144 items" in out) == (0, True)
    assert run("check", *again)[0] == 0
    code, _, err = run("restore", tmp_path / "b", *again)
    assert (code, "in use" in one_line(err)) == (2, True)


def test_a_backup_of_another_database_is_left_to_its_own_tools(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KYOMEI_DATABASE_URL", "postgresql+psycopg://u:p@h/x")
    code, _, err = run("backup", "--to", tmp_path / "b")
    assert (code, "pg_dump" in one_line(err)) == (2, True)


def test_migrate_brings_an_old_catalog_up_to_date(run, tmp_path):
    import sqlite3
    from contextlib import closing
    from pathlib import Path

    data = tmp_path / "old"
    data.mkdir()
    dump = Path(__file__).parent / "catalog" / "version_1.sql"
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as database:
        database.executescript(dump.read_text(encoding="utf-8"))
    code, _, err = run("check", "--data", data)
    assert (code, "kyomei migrate" in one_line(err)) == (2, True)
    code, out, _ = run("migrate", "--data", data)
    assert (code, "version 1 is now 3" in out, "kept in" in out) == (0, True, True)
    code, out, _ = run("migrate", "--data", data)
    assert (code, "nothing to do" in out) == (0, True)


def test_a_command_may_name_a_collection(run, tmp_path, copy_of_indexed, monkeypatch):
    (tmp_path / "more.toml").write_text(f'[other]\ndata = "{copy_of_indexed}"\n')
    monkeypatch.setenv("KYOMEI_COLLECTIONS", str(tmp_path / "more.toml"))
    monkeypatch.setenv("KYOMEI_DATA", str(tmp_path / "absent"))
    code, out, _ = run("check", "--collection", "other", "--quiet")
    assert (code, "144 items" in out) == (0, True)
    code, _, err = run("check", "--collection", "none")
    assert (code, "default, other, got none" in one_line(err)) == (2, True)
