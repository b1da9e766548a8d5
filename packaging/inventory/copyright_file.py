"""Debian's copyright file (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/): whose work is inside, and the licence of
each, in the words it came with. Where a part leaves the choice, the first of `PREFERRED` is taken."""
import re
import textwrap
from collections import defaultdict

from part import HOLDER, Part

PREFERRED = ["MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "ISC", "Zlib", "Unicode-3.0", "blessing"]
# Licences whose words need no file of the part's own.
COMMON = {
    "Apache-2.0": "On Debian systems, the full text is in /usr/share/common-licenses/Apache-2.0.",
    "blessing": "In the public domain: the authors disclaim copyright (https://www.sqlite.org/copyright.html).",
}
# How each licence's text begins, as a regular expression: files' names say little, and some hold several.
SIGNS = {
    "MIT": r"Permission\s+is\s+hereby\s+granted,\s+free\s+of\s+charge",
    "BSD-3-Clause": r"Redistribution\s+and\s+use\s+in\s+source",
    "ISC": r"Permission\s+to\s+use,\s+copy,\s+modify,",
    "Zlib": r"This\s+software\s+is\s+provided\s+'as-is'",
    "Unicode-3.0": r"UNICODE\s+LICENSE\s+V3",
}
APACHE = r"\n\s*Apache\s+License\s+Version\s+2\.0"


def text(program: Part, parts: list[Part]) -> str:
    groups = defaultdict(list)
    wordings = {}
    for part in parts:
        licence = chosen(part.licence)
        wording = "\n\n".join(words(part, name) for name in licence.split(" and "))
        key = licence, re.sub(r"\W+", "", wording).lower()
        wordings.setdefault(key, wording)
        groups[key].append(part)
    own = paragraph("*", program.holders(), "MIT or Apache-2.0", words(program, "MIT") + "\n\nOr, as you like:\n\n" + COMMON["Apache-2.0"])
    others = [paragraph_of(group, key[0], wordings[key]) for key, group in sorted(groups.items(), key=lambda item: item[1][0].name)]
    return "\n".join([HEAD, own, *others])


def chosen(expression: str) -> str:
    """The licences that are used, of an SPDX expression; several joined by "and"."""
    needed = [part.strip("() ") for part in re.split(r" AND ", expression)]
    choices = [need.split(" OR ") for need in needed]
    picked = [min(names, key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)) for names in choices]
    unknown = [name for name in picked if name not in PREFERRED]
    assert not unknown, f"a licence nobody has looked at: {unknown}; add it to packaging/inventory/copyright_file.py"
    return " and ".join(picked)


def words(part: Part, licence: str) -> str:
    """The text of one of a part's licences, without the lines that name holders."""
    if licence in COMMON:
        return COMMON[licence]
    fitting = [found[1] for _, text in part.notices() if (found := re.search(rf"({SIGNS[licence]}.*?)({APACHE}|\Z)", text, re.DOTALL))]
    assert fitting, f"{part.url} has no text of its licence {licence}"
    text = min(fitting, key=len)
    return "\n".join(line for line in text.strip().splitlines() if not HOLDER.match(line)).strip()


def paragraph_of(parts: list[Part], licence: str, wording: str) -> str:
    files = "\n ".join(f"{part.kind}/{part.name}-{part.version}/*" for part in parts)
    holders = sorted({holder for part in parts for holder in part.holders()})
    return paragraph(files, holders, licence, wording)


def paragraph(files: str, holders: list[str], licence: str, wording: str) -> str:
    indented = textwrap.indent(wording, " ", lambda line: True)
    body = "\n".join(line.rstrip() if line.strip() else " ." for line in indented.splitlines())
    return f"Files: {files}\nCopyright: {chr(10).join([holders[0], *(f' {holder}' for holder in holders[1:])])}\nLicense: {licence}\n{body}\n"


HEAD = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: visavis
Comment: The program links the crates below cargo/ and what is below generic/; its web client holds the packages below npm/.
"""
