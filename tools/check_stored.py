"""Check the results that are stored in Git: unedited, not stale, within bounds and no worse than at another revision.

`dvc status`, `dvc metrics diff` and `dvc repro --dry` exit with status 0 whatever they find, and need the data or its
cache. This needs neither: for files that a clone lacks, it compares the hashes in dvc.lock.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeGuard

from dvc.dependency import ParamsDependency
from dvc.dvcfile import Lockfile
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.utils.serialize import ParseError, load_yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from oneshot.core.keys import flat
from oneshot.core.params import Schema
from tools.command import command, filled
from tools.git import git

BOUNDS = "tools/metrics_bounds.yaml"
RESULTS = ("metrics", "plots")
RERUN = "run dvc repro and commit dvc.lock with the results"


class _Rule(Schema):
    """The bounds of one metric: at least `min`, at most `max`, at most `tolerance` worse than at another revision."""

    min: float | None = None
    max: float | None = None
    tolerance: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _bounds_something(self):
        if self.min is None and self.max is None:
            raise ValueError("has neither min nor max, so it bounds nothing")
        return self


_Rules = Annotated[dict[str, _Rule], Field(min_length=1)]
# {file: {dotted key: rule}}; without any, every result would pass.
_BOUNDS = TypeAdapter(Annotated[dict[str, _Rules], Field(min_length=1)])


def find_faults(root: str | Path = ".", against: str | None = None) -> list[str]:
    """Check a project; return one sentence per fault.

    root: the folder of dvc.yaml; against: a Git revision than which no metric may be worse.
    """
    # Without Git too: a downloaded archive has none.
    with Repo(str(root), config={"core": {"no_scm": True}}) as repo:
        # A pipeline of the user's own in a sub-folder (recipes/own) has a dvc.lock of its own.
        stages = [s for s in repo.index.stages if isinstance(s, PipelineStage) and s.path_in_repo == "dvc.yaml"]
        stages.sort(key=lambda stage: str(stage.addressing))
        lock = Lockfile(repo, str(Path(repo.root_dir) / "dvc.lock")).load().get("stages", {})
        gone = lock.keys() - {stage.name for stage in stages}
        faults = [f"{name} is in dvc.lock, but no stage of dvc.yaml: delete it there" for name in gone]
        producers = {out.fs_path: (stage, out) for stage in stages for out in stage.outs}
        for stage in stages:
            if stage.name not in lock:
                faults.append(f"{stage.name} is a stage of dvc.yaml, but not in dvc.lock: {RERUN}")
                continue
            faults += _stale(stage, lock[stage.name], producers)
        faults += _undeclared(repo, producers)
        faults += _out_of_bounds(Path(repo.root_dir), against)
    return faults


def _stale(stage: PipelineStage, record: dict, producers: dict[str, tuple[PipelineStage, Output]]) -> Iterator[str]:
    if stage.cmd_changed:
        yield f"{stage.name} was run by another command ({record.get('cmd')!r}, now {stage.cmd!r}): {RERUN}"
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            recorded = dep.hash_info.value if isinstance(dep.hash_info.value, dict) else {}
            present = dep.read_params()
            for key in dep.params:
                old, new = recorded.get(key, "no value"), present.get(key, "no value")
                if old != new:
                    yield f"{stage.name} was run with {key}: {old}, now {dep.def_path} says {new}: {RERUN}"
        elif not dep.hash_info:
            yield f"{stage.name} was run without its dependency {dep.def_path}: {RERUN}"
        elif dep.fs_path in producers:
            source, out = producers[dep.fs_path]
            if out.hash_info and out.hash_info != dep.hash_info:
                yield f"{stage.name} was run on another {dep.def_path} than the one that {source.name} made: {RERUN}"
        elif status := dep.status():
            yield f"{stage.name} depends on {dep.def_path}, which was {status[str(dep)]} since it was run: {RERUN}"
    for out in stage.outs:
        if not out.hash_info:
            yield f"{stage.name} was run without its output {out.def_path}: {RERUN}"
        elif not out.use_cache and (status := out.status()):
            how = "is missing" if status[str(out)] == "deleted" else "is not the one recorded in dvc.lock"
            yield f"{out.def_path}, a result of {stage.name}, {how}: restore it from Git, or {RERUN}"


def _undeclared(repo: Repo, outputs: dict[str, tuple[PipelineStage, Output]]) -> Iterator[str]:
    for folder in RESULTS:
        for path in sorted((Path(repo.root_dir) / folder).rglob("*")):
            declared = any(str(part) in outputs for part in (path, *path.parents))
            # What starts with a dot is DVC's, or what a write that was killed has left.
            if path.is_file() and not declared and not path.name.startswith("."):
                place = path.relative_to(repo.root_dir)
                yield f"{place} is the output of no stage: declare it in dvc.yaml or delete it"


def _out_of_bounds(root: Path, against: str | None) -> Iterator[str]:
    try:
        bounds = _BOUNDS.validate_python(load_yaml(str(root / BOUNDS)))
    except FileNotFoundError:
        yield f"{BOUNDS} is missing: the metrics have no bounds"
        return
    except ParseError as error:
        yield f"{BOUNDS} is not YAML: {' '.join(str(error).split())}"
        return
    except ValidationError as error:
        for fault in error.errors():
            place = ": ".join([BOUNDS, *(str(part) for part in fault["loc"])])
            yield f"{place}: {fault['msg'].removeprefix('Value error, ')}, but is {fault['input']!r}"
        return
    if against:
        git("rev-parse", "--git-dir", folder=root)  # an archive has no revisions: that is said first
        refusal = f"there is no revision {against} here: give a commit, a tag or a branch"
        words = ("rev-parse", "--verify", "--end-of-options", against + "^{commit}")
        against = git(*words, folder=root, refusal=refusal).strip()[:12]
    for file, rules in bounds.items():
        path = root / file
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        try:
            present = _metrics(file, text)
            before = _metrics(f"{file} of {against}", _committed(root, file, against)) if against else {}
        except ValueError as error:
            yield f"{error}: {RERUN}"
        else:
            yield from _broken(file, rules, present, before, against)


def _metrics(name: str, text: str) -> dict[str, object]:
    try:
        tree = json.loads(text or "{}")
    except ValueError as error:
        raise ValueError(f"{name} is not JSON ({error})") from None
    return dict(flat(tree)) if isinstance(tree, dict) else {}


def _broken(
    file: str, rules: Mapping[str, _Rule], present: Mapping, before: Mapping, against: str | None
) -> Iterator[str]:
    for key, rule in rules.items():
        value, old, tolerance = present.get(key), before.get(key), rule.tolerance
        if not _is_number(value):
            yield f"{BOUNDS} bounds {key} of {file}, which has no such number: fix one of them"
            continue
        # A metric with a minimum should be high, so a fall is a loss; one with a maximum should be low.
        for bound, sign, side, moved in ((rule.min, 1, "below", "fell"), (rule.max, -1, "above", "rose")):
            if bound is None:
                continue
            # `not value >= ...` also catches NaN.
            if not sign * value >= sign * bound:
                yield f"{file}: {key} is {value}, {side} its bound of {bound}"
            if _is_number(old) and tolerance is not None and not sign * value >= sign * old - tolerance:
                yield f"{file}: {key} {moved} from {old} at {against} to {value}, by more than {tolerance}"


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _committed(root: Path, file: str, revision: str) -> str:
    """Read a file of a revision, "" if it is not there. By git, which fetches what a partial clone lacks."""
    listed = git("ls-tree", "--name-only", revision, "--", file, folder=root)
    return git("show", f"{revision}:./{file}", folder=root) if listed else ""


@command
def main() -> None:
    """Print one sentence per fault; exit with status 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=filled, metavar="REVISION", help="compare the metrics with a Git revision")
    faults = find_faults(against=parser.parse_args().against)
    for fault in faults:
        print(f"check-stored: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    print("check-stored: the stored results are those of this code and these parameters, and within bounds")


if __name__ == "__main__":
    main()
