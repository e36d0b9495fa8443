"""Why a small run is not the one that is recorded in smoke.lock."""

from collections.abc import Mapping

from oneshot.core.keys import flat
from tools import compare_runs


def explain(recorded: Mapping, found: dict, machine: str) -> str:
    """Explain how a run differs from the recorded one and what that means; "" if it does not differ.

    recorded: content of smoke.lock; found: content of the run's dvc.lock; machine: the processor that it ran on.
    The page is left out: it also shows tables of docs/, which change on their own.
    """
    found = found | {"stages": {name: stage for name, stage in found["stages"].items() if name != "page"}}
    paths = compare_runs.differing(recorded, found)
    if not paths:
        return ""
    number = f"{len(paths)} of {len(compare_runs.hashes(found))}"
    text = f"{number} outputs of the small run differ from the recorded ones: {', '.join(paths)}. "
    one, other = _inputs(recorded), _inputs(found)
    if inputs := sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)):
        return text + (
            f"The record is stale: {', '.join(inputs)} changed since it was made. If the results were meant to change,"
            " run `make record-hashes` and commit tests/pipeline/smoke.lock; refactoring must not change them."
        )
    return text + (
        "Code, parameters and data are those of the record, so this machine gives other bytes than the one that made"
        f" it: {machine} here, {recorded['machine']} there. docs/reproducibility.md says which machines should agree."
    )


def _inputs(lock: Mapping) -> dict[str, object]:
    """The files, other than outputs, and the parameters of a run."""
    made = compare_runs.hashes(lock)
    found: dict[str, object] = {}
    for stage in lock["stages"].values():
        found |= {dep["path"]: dep.get("md5") for dep in stage.get("deps", []) if dep["path"] not in made}
        for values in stage.get("params", {}).values():
            found |= dict(flat(values))
    # Leave out the folders of other stages' outputs, and params.yaml, whose leaves are listed above.
    return {name: value for name, value in found.items() if not name.startswith(("metrics", "plots", "params.yaml"))}
