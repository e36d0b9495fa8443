"""The lock file fits what pyproject.toml asks for, and is the same for all versions of Python."""

import itertools
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")


def locked() -> dict[str, set[str]]:
    """The versions of each package in requirements.lock that some supported Python gets."""
    lines = re.findall(r"^([\w.-]+(?:\[[\w,-]+\])?==[^\\\n]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    found: dict[str, set[str]] = {}
    for line in lines:
        pin = Requirement(line)
        if not pin.marker or any(pin.marker.evaluate({"python_full_version": f"{version}.0"}) for version in PYTHONS):
            found.setdefault(canonicalize_name(pin.name), set()).add(str(pin.specifier).removeprefix("=="))
    return found


def test_every_locked_version_is_one_that_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *itertools.chain(*extras.values(), *groups.values())]
    pins = locked()
    for requirement in map(Requirement, asked):
        versions = pins[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version in versions), f"{requirement}: run make lock"


def test_what_decides_the_bytes_has_one_version():
    pins = locked()
    for name in ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "pillow"):
        assert len(pins[name]) == 1, f"{name} has several versions, of which each may give other bytes: see make lock"
