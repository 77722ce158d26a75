r"""Formulas as MathML, written when the pages are built: browsers draw it without a script and without a network.

latex2mathml reads the LaTeX. What it leaves in the way browsers do not draw is put right afterwards: letters of a script or a
blackboard become characters, letters of a word become a word, signs know whether they stand before one operand or between two,
names of functions keep their distance. A command it does not know is a warning of the build, never a page with a backslash.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

LETTERS = {
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8, dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))),
    "script": (0x1D49C, 0x1D4B6, None, dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True))),
    "fraktur": (0x1D504, 0x1D51E, None, dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True))),
    "bold": (0x1D400, 0x1D41A, 0x1D7CE, {}),
}
FUNCTIONS = {
    *(
        "arccos",
        "arcsin",
        "arctan",
        "arg",
        "cos",
        "cosh",
        "cot",
        "coth",
        "det",
        "dim",
        "erf",
        "erfc",
        "exp",
    ),
    *("inf", "lim", "ln", "log", "max", "min", "Pr", "sin", "sinh", "sup", "tan", "tanh"),
}
LIMITS = {"max", "min", "lim", "sup", "inf", "arg\u2009max", "arg\u2009min"}
DELIMITERS = {r"\{": "{", r"\}": "}", r"\langle": "⟨", r"\rangle": "⟩", r"\|": "‖", r"\vert": "|"}
OPENING, CLOSING = set("([{⟨⌊⌈"), set(")]}⟩⌋⌉!")
BOTH = set("|‖")
SIGNS = set("+-−±∓")
ALIGNED = re.compile(r"\\(begin|end)\{(aligned|align|align\*|split|gathered|gather|gather\*)\}")


def mathml(formula: str, display: bool = False) -> str:
    """Convert one formula; ValueError says what could not be."""
    return "\n".join(
        _converted(part, display) for part in re.split(r"\n\s*\n", formula) if part.strip()
    )


def _converted(formula: str, display: bool) -> str:
    from latex2mathml.converter import convert

    written = convert(_prepared(formula), display="block" if display else "inline")
    written = written.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    try:
        root = ElementTree.fromstring(written)
    except ElementTree.ParseError as found:
        raise ValueError(f"{formula!r} makes no markup: {found}") from None
    _tidy(root, display)
    left = [part for element in root.iter() for part in _unconverted(element)]
    if left:
        raise ValueError(f"{formula!r} leaves {', '.join(sorted(set(left)))}")
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _prepared(formula: str) -> str:
    """Write what latex2mathml does not know in other words."""
    if re.search(r"(?<!\\)\\\\(?!begin)", formula) and r"\begin" not in formula:
        formula = rf"\begin{{aligned}}{formula}\end{{aligned}}"

    def table(found: re.Match[str]) -> str:
        columns = "{rlrlrl}" if "gather" not in found[2] else "{c}"
        return r"\begin{array}" + columns if found[1] == "begin" else r"\end{array}"

    formula = ALIGNED.sub(table, formula)
    formula = re.sub(r"\\arg\s*\\(min|max)", r"\\arg\1", formula)
    return formula.replace(r"\!", " ")


def _unconverted(element: ElementTree.Element) -> list[str]:
    text = element.text or ""
    if element.tag in {"mi", "mo", "mn"} and not text.strip() and "fence" not in element.attrib:
        return [f"an empty {element.tag}"]
    if element.tag == "mtext":
        return [text] if "\\" in text else []
    return [text] if re.search(r"\\|[&$#%]$", text) and text != "∖" else []


def _tidy(parent: ElementTree.Element, display: bool) -> None:
    for child in parent:
        _tidy(child, display and parent.tag != "mfrac")
    _letters(parent)
    if parent.tag == "msub" and display and parent[0].text in LIMITS:
        parent.tag = "munder"
    if parent.tag in {"mrow", "math", "mtd", "msqrt", "mstyle"}:
        _words(parent)
        _operators(parent)
    if parent.tag in {"msub", "msup", "msubsup"} and "minsize" in parent[0].attrib:
        _wrapped(parent)
    if parent.tag == "mtd" and "columnalign" in parent.attrib:
        parent.set("style", f"text-align: {parent.attrib.pop('columnalign')}")
    if parent.tag == "mtable" and display:
        parent.set("displaystyle", "true")


def _wrapped(scripts: ElementTree.Element) -> None:
    """Put a large bracket with indices into a row of its own: only rows stretch what they hold."""
    bracket = scripts[0]
    scripts.remove(bracket)
    text = (bracket.text or "").strip()
    bracket.set("form", "postfix" if text in CLOSING | BOTH else "prefix")
    row = ElementTree.Element("mrow")
    row.append(bracket)
    scripts.insert(0, row)


def _letters(element: ElementTree.Element) -> None:
    """Replace the variants that browsers do not draw by the characters they mean."""
    if element.tag == "mtext":
        element.text = re.sub(r"\\([_%&#$])", r"\1", element.text or "")
    text = (element.text or "").strip()
    if element.tag == "mo" and text in DELIMITERS:
        element.text = text = DELIMITERS[text]
    if element.tag == "mi" and text in OPENING | CLOSING | BOTH:
        element.tag = "mo"
        element.set("stretchy", "false")
    if element.tag == "mo" and len(text) > 1 and text.replace("\u2009", "").isalpha():
        element.tag = "mi"
        element.attrib.pop("movablelimits", None)
    if element.tag == "mi" and text in {"~", *"±⟂⪰:;"}:
        element.tag, element.text = "mo", text.replace("~", "∼")
    if element.tag == "mo" and text in {"∞", "⊤"}:
        element.tag = "mi"
    if element.tag == "mi" and len(text) == 1 and "Α" <= text <= "Ω":
        element.set("mathvariant", "normal")
    variant = element.get("mathvariant")
    if variant in LETTERS and element.tag in {"mi", "mn"}:
        del element.attrib["mathvariant"]
        element.text = "".join(_letter(letter, variant) for letter in text)


def _letter(letter: str, variant: str) -> str:
    upper, lower, digit, exceptions = LETTERS[variant]
    if letter in exceptions:
        return str(exceptions[letter])
    for first, start in (("A", upper), ("a", lower), ("0", digit)):
        if start and letter.isascii() and letter.isalnum():
            place = ord(letter) - ord(first)
            if 0 <= place < (10 if first == "0" else 26):
                return chr(start + place)
    return letter


def _words(row: ElementTree.Element) -> None:
    """Join upright letters in a row: test, Tr."""
    word: ElementTree.Element | None = None
    for child in list(row):
        upright = child.tag == "mi" and child.get("mathvariant") == "normal"
        if upright and word is not None and (child.text or "").isalpha():
            word.text = (word.text or "") + (child.text or "")
            word.attrib.pop("mathvariant", None)
            row.remove(child)
        else:
            word = child if upright and (child.text or "").isalpha() else None


def _core(element: ElementTree.Element) -> ElementTree.Element:
    """Return what indices and accents stand at."""
    scripts = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
    while (element.tag in scripts or element.tag == "mrow") and len(element) > 0:
        if element.tag == "mrow" and len(element) > 1:
            break
        element = element[0]
    return element


def _name(element: ElementTree.Element) -> bool:
    core = _core(element)
    text = (core.text or "").split("\u2009")[-1]
    return core.tag == "mi" and text in FUNCTIONS


def _operators(row: ElementTree.Element) -> None:
    """Say of each sign in a row whether it has one operand or two, and keep names of functions apart from letters."""
    children = list(row)
    open_bars: list[str] = []
    for place, child in enumerate(children):
        before = children[place - 1] if place else None
        core, text = _core(child), (_core(child).text or "").strip()
        starts = before is None or before.tag == "mspace" or _opens(before)
        if core.tag != "mo":
            continue
        if text in OPENING or (text in SIGNS and starts):
            core.set("form", "prefix")
        elif text in CLOSING:
            core.set("form", "postfix")
        elif text in BOTH:
            closing = text in open_bars and not starts
            if closing:
                open_bars.remove(text)
            else:
                open_bars.append(text)
            core.set("form", "postfix" if closing else "prefix")
        elif text == "/":
            core.set("lspace", "0")
            core.set("rspace", "0")
    if len(open_bars) == 1:  # one bar alone separates: p(a|b)
        for child in children:
            core = _core(child)
            if core.tag == "mo" and (core.text or "").strip() == open_bars[0]:
                core.set("form", "infix")
    thin = {"width": "0.167em"}
    for place in range(len(children) - 1, 0, -1):
        before, after = children[place - 1], children[place]
        if (_name(before) and _operand(after)) or (_name(after) and _operand(before)):
            row.insert(list(row).index(after), ElementTree.Element("mspace", thin))


def _operand(element: ElementTree.Element) -> bool:
    core = _core(element)
    if core.tag == "mo":
        text = (core.text or "").strip()
        return text in {"∫", "∑", "∏"} or (text in CLOSING)
    return core.tag not in {"mspace", "mtext"}


def _opens(element: ElementTree.Element) -> bool:
    """Say whether what follows has nothing before it to be added to."""
    core = _core(element)
    if core.tag != "mo":
        return False
    text = (core.text or "").strip()
    if text in BOTH:
        return core.get("form") == "prefix"
    return text not in CLOSING and text not in {"′", "∞", "…", "⋯"}


def visit_math(translator, node):
    from docutils import nodes

    translator.body.append(
        translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    )
    translator.body.append(_written(node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_displaymath(translator, node):
    from docutils import nodes
    from sphinx.locale import _
    from sphinx.util.math import get_node_equation_number

    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append(_written(node, display=True) + "</div>\n")
    raise nodes.SkipNode


def _written(node, display: bool) -> str:
    from html import escape

    from sphinx.util import logging

    try:
        return mathml(node.astext(), display)
    except Exception as found:  # whatever latex2mathml raises, the place in the source helps
        logging.getLogger(__name__).warning("%s", found, location=node, type="mathml")
        return f"<code>{escape(node.astext())}</code>"


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
