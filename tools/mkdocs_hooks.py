"""Hooks of mkdocs.yml: the README becomes the first page, and links out of docs/ lead to the repository."""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
HOME, RESULTS = "index.md", "page.html"
# Both are set in GitHub's workflows. Elsewhere nobody knows where the repository is.
REPOSITORY = "/".join(filter(None, (os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY"))))

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README and the page of results."""
    files.append(File.generated(config, HOME, abs_src_path=str(ROOT / "README.md")))
    files.append(File.generated(config, RESULTS, abs_src_path=str(ROOT / "plots/page.html")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let every relative link of a page lead to its place in the site."""
    source = "README.md" if page.file.src_uri == HOME else f"docs/{page.file.src_uri}"
    return _LINK.sub(lambda link: placed(link[1], link[2], source), markdown.replace("](docs/page.png)", "](page.png)"))


def placed(text: str, target: str, source: str) -> str:
    """Write a link of the text `source` (its path in the project) as the site needs it: only words if it leads nowhere.

    The texts of docs/ are in the site, all other files only in the repository.
    """
    if re.match(r"[a-z]+:|#", target):
        return f"[{text}]({target})"
    path, _, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    anchor = f"#{anchor}" if anchor else ""
    inside = {"README.md": HOME, "plots/page.html": RESULTS}.get(path)
    if inside or (path.startswith("docs/") and (ROOT / path).is_file()):
        here = posixpath.dirname(source).removeprefix("docs").lstrip("/")
        return f"[{text}]({posixpath.relpath(inside or path.removeprefix('docs/'), here or '.')}{anchor})"
    return f"[{text}]({REPOSITORY}/blob/HEAD/{path}{anchor})" if REPOSITORY else text
