"""A table of text cells, and its forms: Markdown, plain text and LaTeX."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.errors import ShapeError

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "[": "{[}", "]": "{]}",  # behind a line break a bracket would be its length
    "±": r"\(\pm\)", "→": r"\(\rightarrow\)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of plain text; each form escapes what is special in it.

    Attributes:
        head: Name of each column.
        rows: Cells, as many in each row as in the head.
        bold: (row, column) of the cells to stress.
        n_left: Columns aligned left, for words; those behind are aligned right, for numbers.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bold: frozenset[tuple[int, int]] = frozenset()
    n_left: int = 1

    def __post_init__(self) -> None:
        """Refuse rows of another length.

        Raises:
            ShapeError: With both lengths.
        """
        for row in self.rows:
            if len(row) != len(self.head):
                raise ShapeError(f"expected {len(self.head)} cells in each row, got {len(row)}")


def make_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    bold: Iterable[tuple[int, int]] = (),
    *,
    n_left: int = 1,
) -> Table:
    """Build a table from any sequences."""
    return Table(tuple(head), tuple(tuple(row) for row in rows), frozenset(bold), n_left)


def markdown_table(table: Table) -> str:
    """Pipe table, stressed cells in bold."""
    lines = [_pipes([escape_markdown(cell) for cell in table.head])]
    rules = ("---" if column < table.n_left else "---:" for column in range(len(table.head)))
    lines.append(_pipes(rules))
    for number, row in enumerate(table.rows):
        cells = [escape_markdown(cell) for cell in row]
        lines.append(
            _pipes(
                f"**{cell}**" if (number, column) in table.bold else cell
                for column, cell in enumerate(cells)
            )
        )
    return "\n".join(lines)


def text_table(table: Table) -> str:
    """Columns set with spaces for the terminal, stressed cells with a star."""
    stressed = {column for _, column in table.bold}
    rows = [[name + " " * (column in stressed) for column, name in enumerate(table.head)]]
    for number, cells in enumerate(table.rows):
        marks = ["*" if (number, c) in table.bold else " " for c in range(len(cells))]
        rows.append([cell + marks[c] * (c in stressed) for c, cell in enumerate(cells)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = []
    for row in rows:
        padded = [
            cell.ljust(width) if column < table.n_left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def latex_table(table: Table, *, caption: str, label: str) -> str:
    """A ``table`` environment for the packages booktabs and graphicx, no wider than a line.

    Args:
        table: Cells in plain text; special characters are escaped here.
        caption: Plain text.
        label: Letters, digits, colons and hyphens.
    """
    columns = "l" * table.n_left + "r" * (len(table.head) - table.n_left)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(caption)}}}",
        rf"\label{{{label}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _ampersands(escape_latex(cell) for cell in table.head),
        r"\midrule",
    ]
    for number, row in enumerate(table.rows):
        cells = [escape_latex(cell) for cell in row]
        lines.append(
            _ampersands(
                rf"\textbf{{{cell}}}" if (number, column) in table.bold else cell
                for column, cell in enumerate(cells)
            )
        )
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""])


def escape_latex(text: str) -> str:
    r"""Write every special character so that LaTeX prints it.

    Example:
        >>> escape_latex("c_cca & 50 %")
        'c\\_cca \\& 50 \\%'
    """
    return "".join(_LATEX.get(character, character) for character in text)


def escape_markdown(text: str) -> str:
    """Write text from data so that it cannot end a cell or start a link, image or HTML."""
    for character in "\\|*_<>[]`":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ampersands(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
