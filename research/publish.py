"""Write docs/studies.json: each table of the studies that is there, and the revision that it is of if it is stale.

The page reads this file, not the tables: so the project's pipeline depends on no study, and does not run one. With them
go the minutes of each stage of the stored run: the page must not follow provenance/, which differs from run to run.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import study

from oneshot.core.files import csv_text, read_json, write_json

# The tables that the page and docs/ show, by the stages that make them.
TABLES = ("baselines", "ceilings", "choice", "class_splits", "drawings", "ensembles", "other_methods", "report_recipe")
TABLES += ("seeds", "seeds_thorough", "sweep")


def minutes(folder: Path) -> pd.DataFrame:
    """Read a folder of provenance records: one row per stage, in alphabetical order, without the page itself."""
    found = {path.stem: read_json(path) for path in sorted(folder.glob("*.json")) if path.stem != "page"}
    rows = [{"stage": name, "tensorflow": record["packages"]["tensorflow"]} | record for name, record in found.items()]
    return pd.DataFrame(rows, columns=["stage", "minutes", "processor", "threads", "tensorflow"])


def outdated(status: Mapping[str, list]) -> bool:
    """Whether something changed in what `dvc status --json` says; that an output is only elsewhere is no change.

    The features in runs/ are in no shared cache, so another machine has the tables made of them, and not the features.
    """
    gone = {"deleted", "not in cache"}
    changes = [change for found in status.values() for change in found]
    return any(
        not (set(change) == {"changed outs"} and set(change["changed outs"].values()) <= gone) for change in changes
    )


def publish() -> None:
    """Write the file of all tables."""
    studies = {"minutes": {"csv": csv_text(minutes(study.ROOT / "provenance")), "stale": ""}}
    folder = study.ROOT / "research"
    for name in TABLES:
        table = f"tables/{name}.csv"
        if (folder / table).exists():
            # Whether the table, or what it was made of, is not of today's code, parameters and data.
            status = json.loads(study.run(folder, *study.DVC, "status", "--json", "--with-deps", name, read=True))
            # The last commit that changed the table, not one that moved it.
            git = ("git", "log", "-1", "--format=%h", "--follow", "--diff-filter=AM", "--", table)
            made = (study.run(folder, *git, read=True).strip() or "not committed") if outdated(status) else ""
            studies[name] = {"csv": (folder / table).read_text(encoding="utf-8"), "stale": made}
    write_json(study.ROOT / "docs/studies.json", studies)


if __name__ == "__main__":
    study.main(__doc__, publish)
