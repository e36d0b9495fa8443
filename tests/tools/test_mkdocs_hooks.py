"""Every link of the site leads to a page of it, or to the repository."""

import pytest

from tools import mkdocs_hooks


@pytest.mark.parametrize(
    ("target", "source", "made"),
    [
        ("docs/use.md#in-python", "README.md", "[x](use.md#in-python)"),
        ("plots/page.html", "README.md", "[x](page.html)"),
        ("../README.md", "docs/use.md", "[x](index.md)"),
        ("../use.md", "docs/log/recipe.md", "[x](../use.md)"),
        ("../research/tables/seeds.csv", "docs/results.md", "[x](https://h/a/b/blob/HEAD/research/tables/seeds.csv)"),
        ("https://dvc.org", "README.md", "[x](https://dvc.org)"),
        ("#limits", "README.md", "[x](#limits)"),
    ],
)
def test_a_link_leads_to_its_place_in_the_site(target: str, source: str, made: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mkdocs_hooks, "REPOSITORY", "https://h/a/b")
    assert mkdocs_hooks.placed("x", target, source) == made


def test_a_link_to_a_repository_that_nobody_knows_is_only_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mkdocs_hooks, "REPOSITORY", "")
    assert mkdocs_hooks.placed("x", "LICENSE", "README.md") == "x"
