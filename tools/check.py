"""Check the results that are stored in Git: unedited, not stale, within bounds and no worse than at another revision.

`dvc status`, `dvc metrics diff` and `dvc repro --dry` exit with status 0 whatever they find, and need the data or its
cache. This needs neither: for files that a clone lacks, it compares the hashes in dvc.lock.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from dvc.dependency import ParamsDependency
from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException, OutputNotFoundError
from dvc.output import Output
from dvc.repo import Repo
from dvc.scm import SCMError
from dvc.stage import PipelineStage
from dvc.utils.serialize import load_yaml

BOUNDS = "tools/metrics_bounds.yaml"
RESULTS = ("metrics", "plots")
RERUN = "run dvc repro and commit dvc.lock with the results"


def check(root: str | Path = ".", against: str | None = None) -> list[str]:
    """Check a project; return one sentence per fault.

    root: the folder of dvc.yaml; against: a Git revision than which no metric may be worse.
    """
    with Repo(str(root)) as repo:
        stages = [stage for stage in repo.index.stages if isinstance(stage, PipelineStage)]
        stages.sort(key=lambda stage: str(stage.addressing))
        lock = Lockfile(repo, str(Path(repo.root_dir) / "dvc.lock")).load().get("stages", {})
        locked = [stage for stage in stages if stage.name in lock]
        names = {stage.name for stage in stages}
        faults = [
            f"{s.name} is a stage of dvc.yaml, but not in dvc.lock: {RERUN}" for s in stages if s.name not in lock
        ]
        faults += [f"{name} is in dvc.lock, but no stage of dvc.yaml: delete it there" for name in lock.keys() - names]
        producers = {out.fs_path: (stage, out) for stage in stages for out in stage.outs}
        for stage in locked:
            faults += _stale(stage, lock[stage.name], producers)
            faults += [fault for out in stage.outs for fault in _altered(stage, out)]
        faults += _undeclared(repo, producers)
        faults += _out_of_bounds(repo, against)
    return faults


def _stale(stage: PipelineStage, record: dict, producers: dict[str, tuple[PipelineStage, Output]]) -> Iterator[str]:
    if stage.cmd_changed:
        yield f"{stage.name} was run by another command ({record.get('cmd')!r}, now {stage.cmd!r}): {RERUN}"
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            recorded, present = dep.hash_info.value, dep.read_params()
            recorded = recorded if isinstance(recorded, dict) else {}
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


def _altered(stage: PipelineStage, out: Output) -> Iterator[str]:
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


def _out_of_bounds(repo: Repo, against: str | None) -> Iterator[str]:
    path = Path(repo.root_dir) / BOUNDS
    if not path.exists():
        yield f"{BOUNDS} is missing: the metrics have no bounds"
        return
    present, unreadable = _metrics(repo, "workspace")
    before, lost = _metrics(repo, against) if against else ({}, [])
    yield from (f"{file} cannot be read: {RERUN}" for file in unreadable)
    yield from (f"{file} of {against} cannot be read, so nothing can be compared with it" for file in lost)
    for file, rules in load_yaml(str(path)).items():
        for key, rule in rules.items():
            if unknown := rule.keys() - {"min", "max", "tolerance"}:
                yield f"{BOUNDS}: {file}: {key} has the unknown rule {unknown.pop()}: use min, max, tolerance"
                continue
            value, old, tolerance = present.get((file, key)), before.get((file, key)), rule.get("tolerance")
            if not isinstance(value, int | float):
                yield f"{BOUNDS} bounds {key} of {file}, which has no such number: fix one of them"
                continue
            # `not value >= ...` also catches NaN. A metric with a minimum should be high, so a fall is a loss; one with
            # a maximum should be low.
            if "min" in rule:
                if not value >= rule["min"]:
                    yield f"{file}: {key} is {value}, below its bound of {rule['min']}"
                if old is not None and tolerance is not None and not value >= old - tolerance:
                    yield f"{file}: {key} fell from {old} at {against} to {value}, by more than {tolerance}"
            if "max" in rule:
                if not value <= rule["max"]:
                    yield f"{file}: {key} is {value}, above its bound of {rule['max']}"
                if old is not None and tolerance is not None and not value <= old + tolerance:
                    yield f"{file}: {key} rose from {old} at {against} to {value}, by more than {tolerance}"


def _metrics(repo: Repo, revision: str) -> tuple[dict[tuple[str, str], float], list[str]]:
    """Read the metrics of a revision: {(file, dotted key): value}, and the files that cannot be read."""
    shown = repo.metrics.show(revs=[revision], hide_workspace=False)[revision]
    if "error" in shown:
        raise shown["error"]
    files = {Path(file).as_posix(): content for file, content in shown.get("data", {}).items()}
    values = {(file, key): value for file, found in files.items() for key, value in _flat(found.get("data", {}))}
    missing = (FileNotFoundError, OutputNotFoundError)
    return values, [
        file for file, found in files.items() if "error" in found and not isinstance(found["error"], missing)
    ]


def _flat(tree: dict, prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def main() -> None:
    """Print one sentence per fault; exit with status 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REVISION", help="Git revision; no metric may be worse than there")
    try:
        faults = check(against=parser.parse_args().against)
    except (DvcException, SCMError) as error:
        sys.exit(f"check: {' '.join(str(error).split())}")
    for fault in faults:
        print(f"check: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    print("check: the stored results are those of this code and these parameters, and within bounds")


if __name__ == "__main__":
    main()
