"""Tables and paragraphs for people, as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from . import typesetting
from .reprs import short_repr

_CELL = "text-align:left;padding:.15em 1em .15em 0"  # pages of others have styles of their own


@short_repr
@dataclass(frozen=True)
class Table:
    """Rows under a header, with an optional title.

    Attributes
    ----------
    header : tuple of str
        Names of the columns.
    rows : sequence of tuple of str
        Cells, as many in every row as there are columns.
    title : str
        Shown above.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    title: str = ""

    def to_text(self) -> str:
        """Return aligned columns."""
        rows = [self.header, *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.header))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([self.title, *lines] if self.title else lines)

    def to_markdown(self) -> str:
        """Return a Markdown table."""
        rows = [self.header, ("---",) * len(self.header), *self.rows]
        text = "\n".join(
            "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) + " |"
            for row in rows
        )
        return f"**{self.title}**\n\n{text}" if self.title else text

    def to_html(self) -> str:
        """Return an HTML table."""
        head = "".join(f'<th style="{_CELL}">{escape(cell)}</th>' for cell in self.header)
        body = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows
        )
        title = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_latex(self) -> str:
        """Return a LaTeX table, which may go over pages."""
        return typesetting.table(self.header, self.rows, self.title)


Block = str | Table


def as_text(blocks: Sequence[Block]) -> str:
    """Return paragraphs and tables as plain text."""
    return (
        "\n\n".join(block if isinstance(block, str) else block.to_text() for block in blocks) + "\n"
    )


def as_markdown(blocks: Sequence[Block]) -> str:
    """Return paragraphs, set as they are, and tables as Markdown."""
    return (
        "\n\n".join(
            f"```\n{block}\n```" if isinstance(block, str) else block.to_markdown()
            for block in blocks
        )
        + "\n"
    )


def as_latex(blocks: Sequence[Block]) -> str:
    """Return paragraphs and tables as LaTeX, without a document around them."""
    return (
        "\n\n".join(
            typesetting.paragraph(block) if isinstance(block, str) else block.to_latex()
            for block in blocks
        )
        + "\n"
    )
