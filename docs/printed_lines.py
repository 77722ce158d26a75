"""What commands print, in lines that a page holds: in a pipe, as the pages are written, nothing is broken; here it is, as a terminal would.

Words break where they do on a terminal, and go on under where they began; cells of tables become narrower, the widest first; commands
go on behind a backslash.
"""

from __future__ import annotations

import re

from scalinglaws.wrapping import wrapped

WIDTH = 92
"""Characters of a line of the pages."""
_NARROWEST = 14  # characters of a cell that was broken
_WIDEST_LABEL = 34


def fitted(text: str, width: int = WIDTH) -> str:
    """Break what is longer than a width.

    Examples
    --------
    >>> print(fitted("$ scalinglaws laws\\n  source  a name, and another name", 24))
    $ scalinglaws laws
      source  a name, and
              another name
    """
    lines, found = text.split("\n"), []
    place = 0
    while place < len(lines):
        rule = lines[place + 1] if place + 1 < len(lines) else ""
        if re.fullmatch(r"-+(?:  -+)+", rule):
            last = _end(lines, place + 2, rule)
            found += _table(lines[place:last], rule, width)
            place = last
            continue
        found += _line(lines[place], width)
        place += 1
    return "\n".join(found)


def _line(line: str, width: int) -> list[str]:
    """Break a command, or a line of words that may begin with a label."""
    if len(line) <= width:
        return [line]
    if line.startswith("$ "):
        parts = re.findall(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""", line)
        rows = [parts[0]]
        for part in parts[1:]:
            if len(rows[-1]) + len(part) + 3 > width:
                rows[-1] += " \\"
                rows.append("   ")
            rows[-1] += f" {part}"
        return rows
    label = re.match(r" *\S+(?: \S+)* {2,}(?=\S)", line)
    start = label.end() if label else 0
    if not label or start > _WIDEST_LABEL:
        return wrapped(line, width).split("\n")
    first, *rest = wrapped(line[start:], width - start).split("\n")
    return [line[:start] + first, *(" " * start + more.strip() for more in rest)]


def _spans(rule: str) -> list[tuple[int, int]]:
    return [(column.start(), column.end()) for column in re.finditer("-+", rule)]


def _end(lines: list[str], place: int, rule: str) -> int:
    """Return where a table ends: at a line whose words do not leave the gaps between its columns free."""
    starts = [low for low, _ in _spans(rule)][1:]
    while place < len(lines):
        line = lines[place]
        if not line.strip() or any(line[low - 2 : low].strip() for low in starts):
            break
        place += 1
    return place


def _table(lines: list[str], rule: str, width: int) -> list[str]:
    """Break the cells of the widest columns of a table until it is no wider than a page, or no word can be broken."""
    spans = _spans(rule)
    ends = [*[low for low, _ in spans][1:], None]
    rows = [
        [line[low:end].rstrip() for (low, _), end in zip(spans, ends, strict=False)]
        for line in lines
    ]
    del rows[1]
    count = range(len(spans))
    sizes = [max(len(row[k]) for row in rows) for k in count]
    words = [max(len(word) for row in rows for word in [*_words(row[k]), ""]) for k in count]
    for narrowest in (_NARROWEST, 1):
        least = [min(size, max(word, narrowest)) for word, size in zip(words, sizes, strict=True)]
        while sum(sizes) + 2 * (len(sizes) - 1) > width and sizes != least:
            widest = max((k for k in count if sizes[k] > least[k]), key=sizes.__getitem__)
            sizes[widest] -= 1
    made = []
    for place, row in enumerate(rows):
        cells = [_broken(cell, size) for cell, size in zip(row, sizes, strict=True)]
        for k in range(max(map(len, cells))):
            parts = [
                (cell[k] if k < len(cell) else "").ljust(size)
                for cell, size in zip(cells, sizes, strict=False)
            ]
            made.append("  ".join(parts).rstrip())
        if place == 0:
            made.append("  ".join("-" * size for size in sizes))
    return made


def _words(cell: str) -> list[str]:
    """Split a cell where it may break: at blanks, and in names behind strokes."""
    return [word for word in re.split(r" |(?<=\w/)(?=[A-Za-z])", cell) if word]


def _broken(cell: str, size: int) -> list[str]:
    """Break a cell, but no word."""
    rows = [""]
    for part in re.findall(r"(?: *[^ /]+(?:/(?![A-Za-z])[^ /]*)*/?)", cell):
        if rows[-1] and len(rows[-1] + part) > size:
            rows.append("")
        rows[-1] += part if rows[-1] else part.lstrip()
    return rows


def fit_blocks(app, doctree):
    """Break the lines of all blocks that show commands."""
    from docutils import nodes

    for block in doctree.findall(nodes.literal_block):
        if block.get("language") == "console":
            text = fitted(block.astext())
            block.rawsource = text
            block.children = []
            block += nodes.Text(text)


def setup(app):
    app.connect("doctree-read", fit_blocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
