"""A rendered page for the tests: its elements, and the text that a reader gets."""

import html
import html.parser
import re


class Elements(html.parser.HTMLParser):
    """Collects the start tags of a page, with their attributes, and the tags left open."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, page: bytes):
        super().__init__()
        self.found, self.open, self.misplaced = [], [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.misplaced.append(tag)


def markup(page: bytes) -> str:
    """The page without its scripts and styles."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page.decode(), flags=re.DOTALL)


def words(page: bytes) -> str:
    """The page's text with single spaces between the words, then the texts of its pictures for screen readers."""
    labels = [attributes["aria-label"] for _, attributes in Elements(page).found if "aria-label" in attributes]
    text = html.unescape(re.sub(r"</?\w[^>]*>", " ", markup(page)))
    return " ".join([*text.split(), *labels])
