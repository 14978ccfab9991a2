from typing import Any

import numpy as np
import pytest

from models.features.score import StaffImage
from models.features.sheet_reading import read_pages
from models.media.load import load
from models.types import Float32Array, Modality, Score
from tests.models.features.drawn_sheet import FULL, HALF, WHOLE, DrawnStaff, draw, tune

EXTRACTOR = StaffImage()
N_POSITIONS = 29  # -10..18
BLOCKS = {}
_start = 0
for _name, _size in (
    ("positions", N_POSITIONS),
    ("long positions", N_POSITIONS),
    ("steps", 7),
    ("intervals", 17),
    ("rooms", 8),
    ("contour", 8),
    ("course of rooms", 8),
    ("course of heads", 8),
    ("clef", 32),
    ("totals", 20),
):
    BLOCKS[_name] = slice(_start, _start + _size)
    _start += _size


def pooled(*staves: DrawnStaff) -> Float32Array:
    return EXTRACTOR.pooled(Score((draw(list(staves)),), engraved=False))


def block(row: Float32Array, name: str) -> Any:
    return row[BLOCKS[name]]


def test_the_spec_states_what_comes_out() -> None:
    spec = EXTRACTOR.spec
    assert (spec.name, spec.modality) == ("staff-image", Modality.SCORE)
    assert spec.dimension == _start == 166
    score = Score((draw([tune([0, 4])]),), engraved=False)
    assert EXTRACTOR.pooled(score).shape == (spec.dimension,)
    assert EXTRACTOR.sequence(score).shape[1] == spec.sequence_dimension


def test_positions_steps_and_intervals_are_shares_of_the_notes() -> None:
    row = pooled(tune([0, 2, 2, 9]))
    expected = np.zeros(N_POSITIONS)
    expected[[10, 12, 19]] = [0.25, 0.5, 0.25]
    np.testing.assert_allclose(block(row, "positions"), expected)
    np.testing.assert_allclose(block(row, "long positions"), expected, atol=0.02)
    steps = np.zeros(7)
    steps[[10 % 7, 12 % 7]] = [0.25, 0.75]  # 9 is an octave above 2
    np.testing.assert_allclose(block(row, "steps"), steps, atol=0.02)
    intervals = np.zeros(17)
    intervals[[8 + 2, 8, 8 + 7]] = 1.0 / 3.0
    np.testing.assert_allclose(block(row, "intervals"), intervals, rtol=1e-6)


def test_totals_count_what_was_drawn() -> None:
    heads = [(6.0, 0, FULL), (10.0, 4, HALF), (14.0, 8, HALF), (24.0, 2, WHOLE)]
    totals = block(pooled(DrawnStaff(heads=heads, bars=[19.0, 29.0])), "totals")
    np.testing.assert_allclose(totals[:2], [np.log1p(4) / 2, 4 / 16], rtol=1e-6)
    assert totals[2] == pytest.approx(np.log1p(60.0) / 3.0, rel=0.02)
    np.testing.assert_allclose(totals[4:7], [0.25, 0.5, 0.25])
    assert totals[7] == pytest.approx(np.log1p(2), rel=1e-6)
    assert totals[9] == pytest.approx(3 / 4)  # stems per head
    np.testing.assert_allclose(totals[12:14], [np.log1p(1), 1.0], rtol=1e-6)
    np.testing.assert_allclose(
        totals[14:18], [3.5 / 4, 0, 2, float(np.std([0, 4, 8, 2])) / 2], rtol=1e-6
    )


def test_the_contour_follows_the_tune() -> None:
    rising = block(pooled(tune(list(range(9)))), "contour")
    falling = block(pooled(tune(list(range(8, -1, -1)))), "contour")
    assert (np.diff(rising) > 0).all()
    np.testing.assert_allclose(rising, falling[::-1], atol=0.35)


def test_closer_notes_have_less_room() -> None:
    close, wide = pooled(tune([2, 4] * 4, room=2.5)), pooled(tune([2, 4] * 4, room=8.0))
    assert block(close, "rooms").argmax() < block(wide, "rooms").argmax()
    assert block(close, "course of rooms").mean() < block(wide, "course of rooms").mean()


def test_systems_and_staves_are_counted() -> None:
    lower = DrawnStaff(top=24.0)
    two = block(pooled(DrawnStaff(), lower), "totals")
    np.testing.assert_allclose(two[12:14], [np.log1p(2), 1.0], rtol=1e-6)


def test_the_sequence_tells_where_the_notes_are() -> None:
    score = Score((draw([tune([0, 8, 4])]),), engraved=False)  # at 6, 10 and 14 spaces
    rows = EXTRACTOR.sequence(score)
    assert rows.shape == (5, 37)
    np.testing.assert_array_equal(rows[:, :N_POSITIONS].sum(axis=1), [0, 1, 1, 1, 0])
    assert [int(row[:N_POSITIONS].argmax()) - 10 for row in rows[1:4]] == [0, 8, 4]
    np.testing.assert_array_equal(rows[:, N_POSITIONS], [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(rows[:, -4], [0, 0, 0, 0, 1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (300, 400)])
def test_pages_without_staves_give_finite_rows(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for page in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        score = Score((page,), engraved=False)
        row, sequence = EXTRACTOR.pooled(score), EXTRACTOR.sequence(score)
        assert np.isfinite(row).all()
        assert np.isfinite(sequence).all()
        assert row.dtype == sequence.dtype == np.float32
        assert sequence.shape == (1, 37)


def test_the_same_page_gives_the_same_bits() -> None:
    page = draw([tune([0, 3, 5, 8])])
    first, second = (EXTRACTOR.pooled(Score((page.copy(),), engraved=False)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("spoil", ["noise", "scale", "shade"])
def test_a_scan_is_described_much_like_the_clean_page(spoil: str) -> None:
    page = draw([tune([0, 3, 5, 8, 2, 6], kind=FULL), tune([4, 1, 7, 7, 3], kind=HALF)][:1])
    spoilt: Any = {
        "noise": page * 0.8 + 20 + np.random.default_rng(0).normal(0, 6, page.shape),
        "scale": draw([tune([0, 3, 5, 8, 2, 6])], space=17.0),
        "shade": page * np.linspace(0.6, 0.95, page.shape[1]),
    }[spoil]
    clean = EXTRACTOR.pooled(Score((page,), engraved=False))
    row = EXTRACTOR.pooled(Score((np.clip(spoilt, 0, 255).astype(np.uint8),), engraved=False))
    for name in ("positions", "intervals"):
        np.testing.assert_allclose(block(row, name), block(clean, name), atol=1e-6)
    assert np.abs(row - clean).mean() < 0.05


ENGRAVED = """<score-partwise version="4.0"><part-list><score-part id="P1"><part-name/></score-part>
</part-list><part id="P1">{}</part></score-partwise>"""


def engraved(pitches: list[tuple[str, int, str]]) -> bytes:
    """Two notes a bar (half notes) or four (quarters), in treble clef."""
    head = (
        "<attributes><divisions>1</divisions><key><fifths>-2</fifths></key><time><beats>4</beats>"
        "<beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef></attributes>"
    )
    bars: list[str] = []
    bar, filled = head, 0
    for step, octave, kind in pitches:
        length = {"quarter": 1, "half": 2, "whole": 4}[kind]
        bar += (
            f"<note><pitch><step>{step}</step><octave>{octave}</octave></pitch>"
            f"<duration>{length}</duration><type>{kind}</type></note>"
        )
        filled += length
        if filled == 4:
            bars.append(f'<measure number="{len(bars) + 1}">{bar}</measure>')
            bar, filled = "", 0
    return ENGRAVED.format("".join(bars)).encode()


def random_tune(seed: int) -> list[tuple[str, int, str]]:
    """Eight to twelve bars of full, half and whole notes from middle C upwards."""
    rng = np.random.default_rng(seed)
    kinds = [("quarter",) * 4, ("half",) * 2, ("half", "quarter", "quarter"), ("whole",)]
    notes = []
    for _ in range(int(rng.integers(8, 13))):
        for kind in kinds[int(rng.integers(4))]:
            number = int(rng.integers(0, 13))
            notes.append(("CDEFGAB"[number % 7], 4 + number // 7, kind))
    return notes


@pytest.mark.parametrize("seed", range(6))
def test_engraved_tunes_are_read_back_note_by_note(seed: int) -> None:
    notes = random_tune(seed)
    score = load(engraved(notes), Modality.SCORE)
    assert isinstance(score, Score)
    music = read_pages(score.pages)
    truth = [7 * (octave - 4) + "CDEFGAB".index(step) - 2 for step, octave, _ in notes]
    assert music.positions.tolist() == truth
    assert music.kinds.tolist() == [("quarter", "half", "whole").index(kind) for *_, kind in notes]


@pytest.mark.parametrize("beats", ["2", "3", "5", "6", "8", "9"])
def test_digits_clefs_and_rests_are_no_heads(beats: str) -> None:
    text = engraved([("C", 4, "whole")]).decode()
    start = text.index("<note>")
    rest = "<note><rest/><duration>1</duration><type>{}</type></note>"
    rests = "".join(rest.format(kind) for kind in ("half", "quarter", "eighth", "16th"))
    text = (text[:start] + rests + text[start:]).replace("<beats>4", f"<beats>{beats}")
    score = load(text.encode(), Modality.SCORE)
    assert isinstance(score, Score)
    assert read_pages(score.pages).positions.tolist() == [-2]
