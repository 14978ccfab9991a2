"""Forms of a table: cells stay cells whatever is written in them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ShapeError
from training.evaluation.comparison_report.table import (
    escape_latex,
    escape_markdown,
    latex_table,
    make_table,
    markdown_table,
    text_table,
)

TABLE = make_table(["method", "MAP"], [["chance", "0.1"], ["c_cca", "0.7 ± 0.1"]], [(1, 1)])
ANY_TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1)


def test_markdown_aligns_numbers_right_and_stresses_the_best():
    assert markdown_table(TABLE).splitlines() == [
        "| method | MAP |",
        "| --- | ---: |",
        "| chance | 0.1 |",
        "| c\\_cca | **0.7 ± 0.1** |",
    ]


def test_text_stands_in_columns_with_a_star_at_the_best():
    assert text_table(TABLE).splitlines() == [
        "method        MAP",
        "chance        0.1",
        "c_cca   0.7 ± 0.1*",
    ]


def test_latex_has_rules_of_booktabs_and_the_same_cells():
    text = latex_table(TABLE, caption="50 % of c_cca", label="tab:class")
    assert r"\begin{tabular}{lr}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert r"c\_cca & \textbf{0.7 \(\pm\) 0.1} \\" in text
    assert r"\caption{50 \% of c\_cca}" in text


def test_columns_of_words_are_aligned_left():
    table = make_table(["a", "b"], [["x", "long"]], n_left=2)
    assert "| --- | --- |" in markdown_table(table)
    assert text_table(table) == "a  b\nx  long"
    assert "{ll}" in latex_table(table, caption="", label="t")


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ShapeError, match="2 cells"):
        make_table(["a", "b"], [["x"]])


@given(ANY_TEXT)
def test_no_text_adds_a_column_to_a_markdown_row(text):
    line = markdown_table(make_table(["a", "b"], [[text, "1"]])).splitlines()[2]
    unescaped = re.sub(r"\\.", "", line)
    assert unescaped.count("|") == 3


@given(ANY_TEXT)
def test_latex_keeps_braces_balanced_and_columns_apart(text):
    line = escape_latex(text)
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", line):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert not re.search(r"(?<!\\)[&%$#_^~]", line)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50 % of A&B_c", r"50 \% of A\&B\_c"),
        ("{x}^2 ~ #1 $", r"\{x\}\textasciicircum{}2 \textasciitilde{} \#1 \$"),
        ("a\\b", r"a\textbackslash{}b"),
        ("[0.1, 0.2]", "{[}0.1, 0.2{]}"),
        ("audio → visual", r"audio \(\rightarrow\) visual"),
    ],
)
def test_special_characters_of_latex_are_written_out(text, escaped):
    assert escape_latex(text) == escaped


def test_names_cannot_become_links_pictures_or_html():
    assert escape_markdown("![x](y) <b> `c`") == "!\\[x\\](y) \\<b\\> \\`c\\`"
    assert escape_markdown("two\nlines") == "two lines"
