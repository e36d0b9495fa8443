"""Every relative link of the texts leads to a file or folder, and its anchor to a heading of that file."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]

_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*<?([^\s>]+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def links(text: str) -> list[str]:
    """The relative links of a Markdown text, outside code."""
    found = [inline or reference for inline, reference in _LINK.findall(_CODE.sub("", text))]
    return [link for link in found if not _SCHEME.match(link)]


def anchors(text: str) -> set[str]:
    """The anchors of a text's headings, as GitHub names them: a repeated one gets -1, -2, ..."""
    seen, found = Counter(), set()
    for heading in _HEADING.findall(re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def leads_somewhere(link: str, text: str, path: Path) -> bool:
    """Whether a relative link in the text of `path` leads to a place in the project, and to a heading of it."""
    place, _, anchor = unquote(link).partition("#")
    target = path.parent / place
    if place and not (target.exists() and target.resolve().is_relative_to(ROOT)):
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8") if place else text)


def dead(text: str, path: Path) -> list[str]:
    return [link for link in links(text) if not leads_somewhere(link, text, path)]


@pytest.mark.parametrize("path", TEXTS, ids=[path.relative_to(ROOT).as_posix() for path in TEXTS])
def test_every_relative_link_leads_somewhere(path: Path):
    assert not dead(path.read_text(encoding="utf-8"), path)


def test_dead_links_are_found():
    text = """# A heading, *twice*
# A heading, twice
[file](LICENSE) [anchor](#a-heading-twice-1) [other](docs/use.md#in-python) ![picture](docs/page.png) [web](https://x.y/z)
[no file](missing.md) [no anchor](#a-heading) [none there](docs/use.md#nowhere) [outside](../outside)
`[code](gone.md)` [reference][1]

[1]: gone.md
```
# no heading
[more code](gone.md)
```
"""
    assert dead(text, ROOT / "TEXT.md") == ["missing.md", "#a-heading", "docs/use.md#nowhere", "../outside", "gone.md"]
