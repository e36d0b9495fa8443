"""Write docs/studies.json: each table of the studies that is there, and the revision that it is of if it is stale.

The page reads this file, not the tables: so the project's pipeline depends on no study, and does not run one.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from oneshot.core.files import write_json

FOLDER = Path(__file__).resolve().parent
# Each table that the page shows, and the stage that makes it.
TABLES = {name: name for name in ("ablations", "ceilings", "ensembles", "minutes", "sweep")} | {
    "seeds": "seeds@default",
    "seeds_thorough": "seeds@thorough",
}


def run(*command: str) -> str:
    """Run a command in the folder of the studies; exits with its status if it fails."""
    done = subprocess.run(command, cwd=FOLDER, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def is_stale(stage: str) -> bool:
    """Whether a table, or what it was made of, is not of today's code, parameters and data."""
    return bool(json.loads(run(sys.executable, "-m", "dvc", "status", "--json", "--with-deps", stage)))


def main() -> None:
    """Write the file."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    studies = {}
    for name, stage in TABLES.items():
        path = FOLDER / f"tables/{name}.csv"
        if path.exists():
            # The last commit that changed the table, not one that moved it.
            made = run("git", "log", "-1", "--format=%h", "--follow", "--diff-filter=AM", "--", f"tables/{name}.csv")
            stale = (made.strip() or "not committed") if is_stale(stage) else ""
            studies[name] = {"csv": path.read_text(encoding="utf-8"), "stale": stale}
    write_json(FOLDER.parent / "docs/studies.json", studies)


if __name__ == "__main__":
    main()
