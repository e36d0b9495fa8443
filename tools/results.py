"""Generate the tables and sentences of the README and of docs/ from the stored results and the tables of the studies.

So no number in these texts is copied by hand. `--check` changes nothing and exits with status 1 if a table is stale.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from dvc.utils.serialize import load_yaml

from oneshot.core import params
from oneshot.core.errors import UserError
from oneshot.core.files import read_json, visible, write_bytes
from oneshot.evaluation.methods import CHOSEN
from oneshot.nets.table import DRAWINGS, NETS
from oneshot.page import studies
from oneshot.page.conclusions import sentences
from oneshot.page.metrics import METRICS, of_report, stored
from oneshot.page.sections.digits import confused_table
from oneshot.page.spread import gain_text, mean_text, spread, value_text
from tools import reached
from tools.command import command
from tools.repro import longest_chain, need
from tools.smoke import record_of

README, DOCS = Path("README.md"), Path("docs")


def headlines(parameters: Mapping) -> dict[str, str]:
    """The README's rows, and what it calls them; parameters: all of params.yaml."""
    images, digits = parameters["cifar10"], parameters["mnist"]
    seen, unseen = len(images["seen_classes"]), len(images["unseen_classes"])
    new = len(digits["unseen_digits"])
    of_photographs, of_digits = (f"from one example each (chance: {1 / number:.2f})" for number in (unseen, new))
    return {
        "10-class net, test accuracy": "new photographs of the 10 classes that a net was trained on",
        "6-class net, test accuracy": f"the same for a net that was trained on {seen} classes",
        "one-shot, the report's protocol": f"the {unseen} classes that it never saw, {of_photographs}",
        f"1-shot, random episodes, {CHOSEN}": "the same in random episodes, by transformed features and mirror images",
        "siamese-3d, unseen digits, 1-shot": f"{new} digits that a net never saw, {of_digits}",
    }


def markdown(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Make a Markdown table; None is an empty cell."""
    shown = [["" if cell is None else str(cell) for cell in row] for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in shown)


def summary_table(metrics: Mapping[str, Mapping], seeds: pd.DataFrame, parameters: Mapping) -> str:
    """The README's table; metrics, seeds: as of `studies.all_metrics`; parameters: all of params.yaml."""
    means = spread(seeds)
    rows = [
        (title, value_text(of_report(name, parameters["cifar10"])), value_text(value), mean_text(means, name))
        for name, title in headlines(parameters).items()
        if (value := stored(metrics, *METRICS[name][:2])) is not None
    ]
    return markdown(("accuracy", "report", "this project", "mean of several trainings (number)"), rows)


def recipe_folds_table(table: pd.DataFrame) -> str:
    """research/tables/recipe_folds.csv: a row per measure, gains over plain in points."""
    recipes = [name for name in table["recipe"].drop_duplicates() if name != "plain"]
    rows = []
    for _, part in table.groupby(["method", "shots"], sort=False):
        found, method, shots = part.set_index("recipe"), *part[["method", "shots"]].iloc[0]
        name = "the rule: mean of the four in bold" if method == "rule" else f"{shots}-shot, {studies.in_words(method)}"
        name = f"**{name}**" if method in ("rule", "raw", CHOSEN) else name
        gains = (gain_text(*found.loc[one, ["gain", "interval_95"]].to_numpy(float)) for one in recipes)
        rows.append((name, f"{found['accuracy']['plain']:.3f}", *gains))
    rule = table[table["method"] == "rule"].set_index("recipe")
    best = rule["accuracy"].idxmax()
    behind = (
        f"{name} {100 * row['behind_best']:.1f} ± {100 * row['behind_interval_95']:.1f}"
        for name, row in rule.drop(best).iterrows()
    )
    text = markdown(("measured", "plain", *recipes), rows)
    return f"{text}\n\nBy the rule, *{best}* is best; points behind it: {', '.join(behind)}."


def calibration_table(encoders: Mapping[str, Mapping]) -> str:
    """How far each encoder's probabilities can be trusted; encoders: exports/NAME.json by name."""
    rows = [
        (
            *(f"`{name}`", shots.removeprefix("shot_")),
            *(f"{found[key]:.0%}" for key in ("sure", "sure_accuracy", "unsure_accuracy")),
            f"{100 * found['expected_calibration_error']:.1f} points",
        )
        for name, measured in encoders.items()
        for shots, found in measured.items()
        if shots.startswith("shot_")
    ]
    columns = ("encoder", "examples of each class", "`sure`", "of these right", "of the others right")
    return markdown((*columns, "calibration error"), rows)


def stages_table(pipeline: Mapping) -> str:
    """The stages of dvc.yaml: name, description and variants."""
    rows = []
    for name, stage in pipeline["stages"].items():
        rows.append((f"`{name}`", stage.get("do", stage)["desc"], ", ".join(_variants(stage))))
    return markdown(("stage", "what it makes", "runs for"), rows)


def cost_table(pipeline: Mapping, folder: str | Path = "provenance") -> str:
    """Minutes and memory of the stages of dvc.yaml, by the records of their last runs, and where these were."""
    rows, all_records = [], []
    for name, records in _records(pipeline, folder).items():
        all_records += records
        minutes, peaks = ([record[key] for record in records if key in record] for key in ("minutes", "peak_gib"))
        peak = f"{max(peaks):.2f}" if len(peaks) == len(records) else "not recorded"
        rows.append((f"`{name}`", ", ".join(f"{value:.1f}" for value in minutes), peak, f"{need(name):g}"))
    table = markdown(("stage", "minutes of each run", "peak, GiB", "make repro allows for, GiB"), rows)
    machines = {f"{record['processor']}, {record['processors']} processors" for record in all_records}
    total = sum(record["minutes"] for record in all_records)
    return f"{table}\n\nTogether {total:.0f} minutes, on {'; '.join(sorted(machines))}."


def chain_text(chain: Mapping[str, float]) -> str:
    """The stages of the longest chain, which no number of processors shortens, with their minutes."""
    stages = ", ".join(f"`{stage}` ({minutes:.1f})" for stage, minutes in chain.items())
    return f"The longest chain of stages that need each other took {sum(chain.values()):.0f} minutes: {stages}."


def _records(pipeline: Mapping, folder: str | Path) -> dict[str, list[dict]]:
    """The records of each stage's last runs, by stage of dvc.yaml."""
    found = {}
    for name, stage in pipeline["stages"].items():
        command = stage.get("do", stage)["cmd"]
        places = [f"{record_of(re.sub(r'[$]{.*?}', item, command))}.json" for item in _variants(stage) or [""]]
        found[name] = [read_json(Path(folder) / place) for place in places]
    return found


def _variants(stage: Mapping) -> list[str]:
    """What a stage of dvc.yaml runs for, such as names of nets."""
    return list(stage.get("foreach", {})) or [item for row in stage.get("matrix", {}).values() for item in row]


def card_table(metrics: Mapping[str, Mapping], parameters: Mapping) -> str:
    """The exported nets: accuracy on what they were trained on, and on unseen classes."""
    rows = []
    for net in NETS.values():
        file, key, unseen = {
            "cifar10": ("one_shot_cifar10", "episodes.shot_{}.raw.accuracy", "unseen_classes"),
            "mnist": (f"one_shot_mnist/{net.name}", "unseen.shot_{}.accuracy", "unseen_digits"),
        }[net.data]
        few_shot = [value_text(stored(metrics, file, key.format(shots))) for shots in (1, 5)]
        few_shot.append(f"{1 / len(parameters[net.data][unseen]):.2f}")
        tested = value_text(stored(metrics, f"train_{net.kind}/{net.name}", "test.accuracy"))
        rows.append((net.name, tested, *((None, None, None) if net.name == "10-class" else few_shot)))
    return markdown(("net", "test accuracy, as classifier of seen classes", "1-shot", "5-shot", "chance"), rows)


def fill(path: Path, tables: Mapping[str, str]) -> str:
    """A text with other tables between <!-- NAME --> and <!-- /NAME -->; raises UserError if it lacks one of these."""
    text = path.read_text(encoding="utf-8")
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise UserError(f"{path} lacks the comments <!-- {name} --> and <!-- /{name} -->: put them back")
        text = pattern.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", text)
    return text


class Stored(NamedTuple):
    """What several texts are made from.

    metrics: by path below metrics/ without .json; tables: of the studies; stale: the revisions of the stale ones.
    """

    metrics: Mapping[str, Mapping]
    tables: Mapping[str, pd.DataFrame]
    stale: Mapping[str, str]
    pipeline: Mapping
    parameters: Mapping


def read_stored() -> Stored:
    """Read all of this from the working directory; raises UserError for mistakes in params.yaml and missing tables."""
    files = visible("metrics", "**/*.json")
    metrics = {path.relative_to("metrics").with_suffix("").as_posix(): read_json(path) for path in files}
    tables = {path.stem: pd.read_csv(path) for path in Path("research/tables").glob("*.csv")}
    for name in ("seeds", "seeds_thorough", "recipe_folds", "scaling", "growth"):
        if name not in tables:
            raise UserError(
                f"research/tables/{name}.csv is missing: get it from Git, or wait until its study has ended"
            )
    stale = {name: study["stale"] for name, study in read_json("docs/studies.json").items() if study["stale"]}
    parameters = params.read()
    params.check(parameters, params.stage_schemas())
    return Stored(metrics, tables, stale, load_yaml("dvc.yaml"), parameters)


def made(found: Stored, study: str, what: str = "This table") -> str:
    """A sentence below the table of a study that is not of today's code, parameters and data; "" for others."""
    revision = found.stale.get(study)
    return f"\n\n{what} was made at revision {revision}, by other code, parameters or data." if revision else ""


def readme(found: Stored) -> dict[str, str]:
    """The tables of the README, by name."""
    return {
        "results": summary_table(found.metrics, found.tables["seeds"], found.parameters),
        "reached": "\n".join(("```", *reached.lines("."), "```")),
    }


def results(found: Stored) -> dict[str, str]:
    """The tables of docs/results.md."""
    seeds, thorough = found.tables["seeds"], found.tables["seeds_thorough"]
    methods, together = (pd.read_csv(f"plots/one_shot_cifar10/{name}.csv") for name in ("methods", "transductive"))
    digits = {net: pd.read_csv(f"plots/one_shot_mnist/{net}/confusion.csv") for net in DRAWINGS}
    confusion = {"one_shot_cifar10": pd.read_csv("plots/one_shot_cifar10/confusion.csv"), **digits}
    splits = found.tables["class_splits"] if "class_splits" in found.tables else pd.DataFrame()
    conclusions = sentences(found.parameters, found.metrics, methods, together, confusion, seeds, splits)
    shown = studies.shown(found.tables)
    missing = "Not measured yet: `dvc --cd research repro {}` makes this table."
    metrics = markdown(*studies.all_metrics(found.metrics, seeds, thorough, found.parameters))
    metrics += made(found, "seeds", "The mean of trainings") + made(found, "seeds_thorough", "The last column")
    return {
        "results": metrics,
        "confusions": markdown(*confused_table(digits)),
        "conclusions": "\n".join(f"- {sentence}" for sentence in conclusions),
        **{
            name: markdown(*shown[name]) + made(found, name) if name in shown else missing.format(name)
            for name in studies.TABLES
        },
    }


def scaling(found: Stored) -> dict[str, str]:
    """The tables of docs/scaling.md."""
    growth = pd.read_csv("research/tables/growth.csv", dtype=str)
    return {
        "growth": markdown(list(growth), growth.itertuples(index=False)),
        "machine": "; ".join(found.tables["scaling"]["machine"].unique()),
        "cost": f"{cost_table(found.pipeline)}\n\n{chain_text(longest_chain())}",
    }


def generate() -> dict[Path, str]:
    """Generate the texts from the files in the working directory: {path: content}."""
    found = read_stored()
    encoders = {path.stem: read_json(path) for path in sorted(Path("exports").glob("*.json"))}
    texts = {
        README: readme(found),
        DOCS / "results.md": results(found),
        DOCS / "use.md": {"calibration": calibration_table(encoders)},
        DOCS / "architecture.md": {"stages": stages_table(found.pipeline)},
        DOCS / "model_card.md": {"card": card_table(found.metrics, found.parameters)},
        DOCS / "recipe.md": {"recipe_folds": recipe_folds_table(found.tables["recipe_folds"]) + made(found, "choice")},
        DOCS / "scaling.md": scaling(found),
    }
    return {path: fill(path, tables) for path, tables in texts.items()}


@command
def main() -> None:
    """Write the texts, or check that they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with status 1 if a table is stale")
    check = parser.parse_args().check
    try:
        stale = {path: text for path, text in generate().items() if path.read_text(encoding="utf-8") != text}
    except FileNotFoundError as error:
        sys.exit(f"error: {error.filename} is missing: run this in the project's folder, or get the file from Git")
    if check and stale:
        sys.exit(f"error: the tables of {', '.join(map(str, stale))} are stale: run make results")
    for path, text in stale.items():
        write_bytes(path, text.encode())
        print(f"results: {path} is regenerated")


if __name__ == "__main__":
    main()
