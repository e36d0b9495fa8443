"""The package, the citation and the changelog name the same version."""

import re
import tomllib
from pathlib import Path

from dvc.utils.serialize import load_yaml

ROOT = Path(__file__).parents[2]


def test_one_version_with_one_date():
    citation = load_yaml(str(ROOT / "CITATION.cff"))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    released = re.search(r"^## \[(\d.*)\] - (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released and released.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version
