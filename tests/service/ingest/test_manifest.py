"""A table of files: every mistake has its line number, and nothing outside its folder is named."""

import json

import pytest

from models.errors import DataError
from models.types import Modality
from service.ingest.manifest import list_manifest


def write_csv(folder, *lines):
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_jsonl(folder, *rows):
    path = folder / "list.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_columns_become_caption_and_metadata(tmp_path):
    path = write_csv(
        tmp_path,
        "path,modality,title,label,work_id,year,tempo,live,code,empty",
        'a/b.wav,audio,"Rain, again",rain,w1,1998,0.5,true,007,',
        "c.png,,,,,,,,,",
    )
    listing = list_manifest(path)
    first, second = listing.sources()
    assert listing.count == 2
    assert (first.path, first.name) == (tmp_path / "a/b.wav", "a/b.wav")
    assert (first.modality, first.caption.title) == (Modality.AUDIO, "Rain, again")
    assert (first.caption.label, first.caption.work_id) == ("rain", "w1")
    assert first.caption.metadata == {
        "path": f"{tmp_path.name}/a/b.wav",
        "year": 1998,
        "tempo": 0.5,
        "live": True,
        "code": "007",
    }
    assert (second.modality, second.caption.title) == (None, "c")
    assert (second.caption.label, second.caption.work_id) == (None, None)


def test_json_lines_keep_their_types_and_mean_the_same(tmp_path):
    path = write_jsonl(
        tmp_path, {"path": "a.wav", "year": 1998, "code": "7", "live": False, "none": None}, ""
    )
    (source,) = list_manifest(path).sources()
    assert source.caption.metadata == {
        "path": f"{tmp_path.name}/a.wav",
        "year": 1998,
        "code": "7",
        "live": False,
    }


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("title", "x"), "line 1: expected a header with a column path.*got title"),
        (("path,a,a", "x,1,2"), "line 1: .*no column twice"),
        (("path", "ok.wav", "../x.wav"), "line 3: path '../x.wav' leaves the folder"),
        (("path", "/etc/passwd"), "line 2: path '/etc/passwd' leaves"),
        (("path,modality", "a.wav,sound"), "line 2: modality: expected one of audio, .*'sound'"),
        (("path", "a.wav,b"), "line 2: expected as many values as the header"),
        (("path,title", ",x"), "line 2: expected a path, got none"),
        (("path,title", f"a.wav,{'x' * 501}"), "line 2: title: expected text of at most 500"),
        (("path,", "a.wav,5"), "line 2: expected every column to have a name"),
        (("path", 'a.wav"x', '"b'), "expected a table in UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_with_the_line(tmp_path, lines, said):
    with pytest.raises(DataError, match=said):
        list_manifest(write_csv(tmp_path, *lines))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2: expected JSON"),
        ("[1]", "line 2: expected a JSON object"),
        ({"path": 5}, "line 2: path: expected text"),
        ({"path": "a\0.wav"}, "line 2: path .* leaves"),
        ({"path": "a.wav", "x": [1]}, r"line 2: x: expected text, a number, true or false"),
        ({"path": "a.wav", "x\n": 1}, "line 2: expected a column name without control"),
        ('{"path": "a.wav", "x": NaN}', "line 2: x: expected a finite number, got nan"),
    ],
)
def test_wrong_json_lines_are_refused_with_the_line(tmp_path, row, said):
    with pytest.raises(DataError, match=said):
        list_manifest(write_jsonl(tmp_path, {"path": "fine.wav"}, row))


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    with pytest.raises(DataError, match=r"line 2: path 'out/x\.wav' leaves"):
        list_manifest(write_csv(tmp_path / "in", "path", "out/x.wav"))


def test_the_first_ten_mistakes_are_named(tmp_path):
    with pytest.raises(DataError, match=r"line 2: .*line 11: .*; \.\.\.$") as caught:
        list_manifest(write_csv(tmp_path, "path", *[f"/x{n}" for n in range(50)]))
    assert "line 12" not in str(caught.value)


def test_another_encoding_is_refused_by_the_name_of_the_file(tmp_path):
    (tmp_path / "list.csv").write_bytes("path\ncafé.wav\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"list\.csv: expected a table in UTF-8"):
        list_manifest(tmp_path / "list.csv")


def test_a_table_that_changes_after_the_check_stops_with_its_line(tmp_path):
    path = write_csv(tmp_path, "path", "a.wav")
    sources = list_manifest(path).sources
    write_csv(tmp_path, "path", "a.wav", "/etc/passwd")
    with pytest.raises(DataError, match="line 3"):
        list(sources())
