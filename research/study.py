"""What the scripts of the studies share: how they are called, their parameters, and the files of parts and tables.

With the words that dvc.yaml gives it a script makes a part of its study, without words the table of all parts.
"""

import argparse
import inspect
import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from oneshot.convnet.params import ConvnetParams
from oneshot.core import environment, params
from oneshot.core.environment import TrainingComputeParams
from oneshot.core.errors import UserError
from oneshot.core.files import write_csv
from oneshot.core.params import Schema, Seed
from oneshot.evaluation.params import OneShotParams
from oneshot.siamese.params import Margin, SiameseParams
from oneshot.splits.params import Cifar10Params, MnistParams

DVC = (sys.executable, "-m", "dvc")
ROOT = Path(__file__).resolve().parents[1]

T = TypeVar("T")


class Params(Schema):
    """The parameters that a study may read; research/dvc.yaml says which of them each does."""

    compute: TrainingComputeParams
    seed: Seed
    margin: Margin
    cifar10: Cifar10Params
    mnist: MnistParams
    convnet: ConvnetParams
    siamese: SiameseParams
    one_shot: OneShotParams


def enter() -> Params:
    """The parameters, in the environment that they ask for: the process may start again."""
    settings = params.load(Params)
    environment.enter(settings.compute)
    return settings


def main(about: str | None, part: Callable[..., None], table: Callable[[], None] | None = None) -> None:
    """Call `part` with the words of the command line, each of the type of its parameter; or `table` if there are none.

    A mistake of the user and Ctrl-C end with one sentence.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, parameter in inspect.signature(part).parameters.items():
        several = parameter.kind == parameter.VAR_POSITIONAL
        parser.add_argument(name, type=parameter.annotation, nargs="+" if several else 1)
    try:
        if table and len(sys.argv) == 1:
            table()
        else:
            part(*itertools.chain.from_iterable(vars(parser.parse_args()).values()))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command resumes")


def chosen(kind: str, name: str, known: Mapping[str, T]) -> T:
    """Return what a word of the command line stands for; raises UserError, with all known words, if it is none."""
    if name not in known:
        raise UserError(f"there is no {kind} {name}: name one of {', '.join(known)}")
    return known[name]


def run(folder: Path, *command: str, read: bool = False) -> str:
    """Run a command in a folder; return what it prints, if read. Exits with its status if it fails: it has said why."""
    done = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE if read else None, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def scratch(study: str, part: str) -> Path:
    """The folder in which a part of a study keeps its trainings until its table is written."""
    return Path(".checkpoints", f"{study}-{part}")


def write_part(study: str, part: str, table: Any) -> None:
    """Write the pandas table of a part of a study, and delete its trainings."""
    write_csv(f"parts/{study}/{part}.csv", table)
    shutil.rmtree(scratch(study, part), ignore_errors=True)


def parts(study: str) -> pd.DataFrame:
    """The tables of all parts of a study, one below the other."""
    return pd.concat([pd.read_csv(path) for path in sorted(Path("parts", study).glob("*.csv"))])


def write_table(study: str, table: Any) -> None:
    """Write the pandas table of a study."""
    write_csv(f"tables/{study}.csv", table)
