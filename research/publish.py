"""Write docs/studies.json: each table of the studies that is there, and the revision that it is of if it is stale.

The page reads this file, not the tables: so the project's pipeline depends on no study, and does not run one. With them
go the minutes of each stage of the stored run: the page must not follow provenance/, which differs from run to run.
"""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import study

from oneshot.core.files import csv_text, read_json, write_json

# Each table that the page shows, and the stage that makes it.
TABLES = {name: name for name in ("ablations", "ceilings", "ensembles", "sweep")}
TABLES |= {"seeds": "seeds@default", "seeds_thorough": "seeds@thorough"}


def run(*command: str) -> str:
    """Run a command in the folder of the studies; exits with its status if it fails."""
    done = subprocess.run(command, cwd=study.ROOT / "research", check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def is_stale(stage: str) -> bool:
    """Whether a table, or what it was made of, is not of today's code, parameters and data."""
    return bool(json.loads(run(sys.executable, "-m", "dvc", "status", "--json", "--with-deps", stage)))


def minutes(folder: Path) -> pd.DataFrame:
    """Read a folder of provenance records: one row per stage, in alphabetical order, without the page itself."""
    found = {path.stem: read_json(path) for path in sorted(folder.glob("*.json")) if path.stem != "page"}
    rows = [{"stage": name, "tensorflow": record["packages"]["tensorflow"]} | record for name, record in found.items()]
    return pd.DataFrame(rows, columns=["stage", "minutes", "processor", "threads", "tensorflow"])


def publish() -> None:
    """Write the file of all tables."""
    studies = {"minutes": {"csv": csv_text(minutes(study.ROOT / "provenance")), "stale": ""}}
    for name, stage in TABLES.items():
        path = study.ROOT / f"research/tables/{name}.csv"
        if path.exists():
            # The last commit that changed the table, not one that moved it.
            made = run("git", "log", "-1", "--format=%h", "--follow", "--diff-filter=AM", "--", f"tables/{name}.csv")
            stale = (made.strip() or "not committed") if is_stale(stage) else ""
            studies[name] = {"csv": path.read_text(encoding="utf-8"), "stale": stale}
    write_json(study.ROOT / "docs/studies.json", studies)


if __name__ == "__main__":
    study.main(__doc__, publish)
