import pytest

from models.media.accidentals import forget_sounding_accidentals, write_accidentals
from models.media.xml_tree import local_name, parse_xml


def _printed(music: str) -> str:
    """What is printed before each note, in document order; ``.`` for nothing."""
    root = parse_xml(f"<mei>{music}</mei>", name="MEI")
    write_accidentals(root)
    notes = [element for element in root.iter() if local_name(element) == "note"]
    return " ".join(
        "".join(holder.get("accid", "") for holder in [note, *note]) or "." for note in notes
    )


def _bar(notes: str, *, staff: int = 1) -> str:
    """A measure of one voice; ``f4s`` is an F sharp of octave 4, ``f4`` an F natural."""
    return f"<measure><staff n='{staff}'><layer n='1'>{_notes(notes)}</layer></staff></measure>"


def _notes(notes: str) -> str:
    return "".join(
        f"<note pname='{note[0]}' oct='{note[1]}' accid.ges='{note[2:] or 'n'}'/>"
        for note in notes.split()
    )


@pytest.mark.parametrize(
    ("notes", "printed"),
    [
        ("f4s f4s f4 f4", "s . n ."),
        ("f4s f5s f4s", "s s ."),
        ("f4s f4ss f4s", "s x s"),
        ("b4f b4ff b4", "f ff n"),
        ("c4 d4 e4", ". . ."),
    ],
)
def test_a_sign_holds_in_its_bar_and_octave(notes, printed):
    assert _printed(_bar(notes)) == printed


def test_the_bar_line_ends_a_sign():
    assert _printed(_bar("f4s") + _bar("f4s f4") + _bar("f4")) == "s s n ."


def test_voices_are_apart():
    staff = f"<layer>{_notes('f4s')}</layer><layer>{_notes('f4s')}</layer>"
    assert _printed(f"<measure><staff n='1'>{staff}</staff></measure>") == "s s"


def test_chord_notes_count():
    layer = f"<chord>{_notes('f4s c5s')}</chord>{_notes('c5s')}"
    music = f"<measure><staff n='1'><layer>{layer}</layer></staff></measure>"
    assert _printed(music) == "s s ."


@pytest.mark.parametrize(
    ("signature", "notes", "printed"),
    [
        ("2s", "f4s c5s f4 g4s", ". . n s"),
        ("3f", "b4f e4f a4f d4f", ". . . f"),
        ("0", "f4s", "s"),
        ("mixed", "f4s", "s"),
    ],
)
@pytest.mark.parametrize(
    "holder",
    [
        "<scoreDef keysig='{}'/>",
        "<scoreDef key.sig='{}'/>",
        "<scoreDef><keySig sig='{}'/></scoreDef>",
        "<scoreDef><staffGrp><staffDef n='1' keysig='{}'/></staffGrp></scoreDef>",
        "<scoreDef><staffGrp><staffDef n='1'><keySig sig='{}'/></staffDef></staffGrp></scoreDef>",
    ],
)
def test_the_key_gives_its_signs(holder, signature, notes, printed):
    assert _printed(holder.format(signature) + _bar(notes)) == printed


def test_each_staff_has_its_key():
    keys = "<scoreDef keysig='1s'><staffDef n='2' keysig='1f'/></scoreDef>"
    assert _printed(keys + _bar("f4s b4f") + _bar("f4s b4f", staff=2)) == ". f s ."


def test_a_new_key_for_all_replaces_the_old_ones():
    first = "<scoreDef><staffDef n='1' keysig='1s'/></scoreDef>"
    assert _printed(first + _bar("f4s") + "<scoreDef keysig='1f'/>" + _bar("f4s b4f")) == ". s ."


def test_a_key_may_change_within_a_bar():
    layer = _notes("f4s") + "<keySig sig='1s'/>" + _notes("f5s f5")
    music = f"<measure><staff n='1'><layer>{layer}</layer></staff></measure>"
    assert _printed(music + _bar("f4s")) == "s . n ."


def test_the_end_of_a_tie_needs_no_sign():
    held = _bar("f4s").replace("<note", "<note xml:id='a'")
    end = _bar("f4s").replace("<note", "<note xml:id='b'")
    tie = "<tie startid='#a' endid='#b'/></measure>"
    assert _printed(held.replace("</measure>", tie) + end) == "s ."


def test_sounding_signs_in_child_elements_are_replaced():
    child = "<note pname='f' oct='4'><accid accid.ges='s'/></note>"
    music = f"<measure><staff n='1'><layer>{child}</layer></staff></measure>"
    assert _printed(music) == "s"


@pytest.mark.parametrize(
    "written",
    ["<note pname='c' oct='4' accid='s'/>", "<note pname='c' oct='4'><accid accid='s'/></note>"],
)
def test_a_tree_with_any_written_sign_is_left_alone(written):
    music = f"<measure><staff n='1'><layer>{written}{_notes('f4s')}</layer></staff></measure>"
    assert _printed(music) == "s ."


def test_forgetting_what_sounds_keeps_what_is_written():
    notes = "<note accid.ges='s'/><note><accid accid='f' accid.ges='f'/></note>"
    root = parse_xml(f"<mei>{notes}</mei>", name="MEI")
    forget_sounding_accidentals(root)
    assert [element.attrib for element in root.iter() if element.attrib] == [{"accid": "f"}]
