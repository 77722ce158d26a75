"""Write the table of warnings into docs/runs.md, after a code was added: ``python tests/write_warnings.py``."""

from pathlib import Path

from scalinglaws.verify.empirical import warning_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "runs.md"
MARK = "<!-- warnings: python tests/write_warnings.py -->"


def with_table(text: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = text.partition(MARK)
    _, end, after = rest.partition("<!-- end -->")
    return f"{before}{MARK}\n\n{warning_table().to_markdown()}\n\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
