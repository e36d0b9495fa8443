"""Generate the tables and sentences of the README and of docs/ from the stored results and the tables of the studies.

So no number in these texts is copied by hand. `--check` changes nothing and exits with status 1 if a table is stale.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.utils.serialize import load_yaml

from oneshot.core import keys, params
from oneshot.core.errors import UserError
from oneshot.core.files import read_json, visible, write_bytes
from oneshot.evaluation.methods import CHOSEN
from oneshot.nets.table import DRAWINGS, NETS
from oneshot.page import reported
from oneshot.page.conclusions import of_siamese_nets, sentences
from oneshot.page.metrics import METRICS, PROTOCOL, name_of
from oneshot.page.sections.ablations import last_epochs
from oneshot.page.sections.ceilings import over_trainings
from oneshot.page.sections.digits import confused_digits
from oneshot.page.sections.ensembles import over_ensembles
from oneshot.page.spread import gain_text, half_width_text, mean_with, spread
from tools import reached
from tools.repro import need
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
        f"1-shot, random episodes, {CHOSEN}": "the same, features transformed and averaged over mirror images",
        "siamese-3d, unseen digits, 1-shot": f"{new} digits that a net never saw, {of_digits}",
    }


def markdown(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Make a Markdown table; None is an empty cell."""
    shown = [["" if cell is None else str(cell) for cell in row] for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in shown)


def not_measured(study: str) -> str:
    """What stands in place of the table of a study that has not run."""
    return f"Not measured yet: `dvc --cd research repro {study}` makes this table."


def summary_table(
    metrics: Mapping[str, Mapping], seeds: pd.DataFrame, titles: Mapping[str, str], cifar10: Mapping
) -> str:
    """The README's table, with what `results_table` says of the same arguments; ± is over trainings."""
    rows = [
        (title, _reported(name, cifar10), _number(value), _mean(seeds, name))
        for name, title in titles.items()
        if (value := _leaf(metrics[METRICS[name].file], METRICS[name].key)) is not None
    ]
    return markdown(("accuracy", "report", "this project", "mean of several trainings (number)"), rows)


def results_table(
    metrics: Mapping[str, Mapping],
    seeds: pd.DataFrame,
    thorough: pd.DataFrame,
    titles: Mapping[str, str],
    cifar10: Mapping,
) -> str:
    """Some of METRICS: the report, the stored run, and the means over trainings by two recipes.

    metrics: by path below metrics/ without .json; seeds, thorough: spread() of seeds.csv and of that of the
    thorough recipe, which only the ConvNets follow; titles: {name: its title here}; cifar10: that group of params.yaml:
    the report's values of other classes are left out.
    """
    rows = []
    for name, title in titles.items():
        file, key, _ = METRICS[name]
        value = _leaf(metrics[file], key)
        if value is None:
            continue  # one_shot in params.yaml leaves it out
        group, _, leaf = key.rpartition(".")
        interval = _leaf(metrics[file], f"{group}.interval_95") if leaf == "accuracy" else None
        rows.append(
            (
                title,
                _reported(name, cifar10),
                _value(value, interval),
                _mean(seeds, name),
                _mean(thorough, name) if file.startswith(("train_convnet", "one_shot_cifar10")) else None,
            )
        )
    return markdown(("", "report", "stored run", "mean of trainings", "thorough recipe"), rows)


def confusions_table(confusions: Mapping[str, pd.DataFrame]) -> str:
    """The two pairs of digits that each net confuses most, and the report's pairs."""
    rows = []
    for net, table in confusions.items():
        main, theirs = confused_digits(table)
        rows.append((net, *(f"{pair} ({share:.0%})" for pair, share in main), *map(_percent, theirs.values())))
    pairs = [f"{a} with {b}" for a, b in reported.CONFUSED_DIGITS]
    return markdown(("net", "first", "second", *pairs), rows)


def ablations_table(table: pd.DataFrame) -> str:
    """The last epoch of each training; table: research/tables/ablations.csv."""
    values = {name: name.replace("_", " ") for name in ("validation_accuracy", "ours_by_then", "test_loss")}
    values["test_accuracy"] = "test accuracy"
    rows = [
        (row["training"], row["epoch"], f"{row['minutes']:.1f}", *(_number(row[name]) for name in values))
        for row in last_epochs(table).to_dict("records")
    ]
    return markdown(("training", "epochs", "minutes", *values.values()), rows)


def ceilings_table(table: pd.DataFrame) -> str:
    """The accuracy on unseen digits over trainings; table: research/tables/ceilings.csv."""
    rows = [
        (row["net"], row["shots"], _value(row["mean"], row["interval_95"]), row["trainings"] or None)
        for row in over_trainings(table).to_dict("records")
    ]
    return markdown(("features", "shots", "accuracy", "trainings"), rows)


def ensembles_table(table: pd.DataFrame) -> str:
    """The accuracy by the nets of several trainings together; table: research/tables/ensembles.csv."""
    means, intervals = over_ensembles(table)
    rows = []
    for setting in means.index:
        cells = zip(means.loc[setting], intervals.loc[setting], strict=True)
        rows.append((setting, *(None if pd.isna(cell[0]) else _value(*cell) for cell in cells)))
    return markdown(("setting", *means), rows)


def recipe_folds_table(table: pd.DataFrame) -> str:
    """research/tables/recipe_folds.csv: a row per measure, gains over plain in points."""
    recipes = [name for name in table["recipe"].drop_duplicates() if name != "plain"]
    rows = []
    for _, part in table.groupby(["method", "shots"], sort=False):
        found, method, shots = part.set_index("recipe"), part["method"].iloc[0], part["shots"].iloc[0]
        name = "the rule: mean of the four below in bold" if method == "rule" else f"{shots}-shot, {method}"
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


def baselines_table(table: pd.DataFrame) -> str:
    """One row per way to get features and method, a column per number of shots; table: of the study `baselines`."""
    cells = [_value(*row) for row in zip(table["accuracy"], table["interval_95"], strict=True)]
    return _by_shots(table.assign(cell=cells), ["arm", "method", "trainings"])


def class_splits_table(table: pd.DataFrame) -> str:
    """The given choice of unseen classes among random ones; table: that of the study `class_splits`."""
    rows = [
        (
            *(row["data"], row["method"], row["shots"], _number(row["given"])),
            f"{row['mean']:.3f} ({row['deviation']:.3f})",
            f"{row['lowest']:.3f} to {row['highest']:.3f}",
            f"{row['rank']} of {row['splits'] + 1}",
        )
        for row in table.to_dict("records")
    ]
    random = ("mean of random choices (standard deviation)", "their range", "rank of the report's")
    return markdown(("data", "method", "shots", "the report's choice", *random), rows)


def other_methods_table(table: pd.DataFrame) -> str:
    """Both libraries' methods, those that classify queries together last; table: that of the study `other_methods`."""
    table = table.sort_values("transductive", kind="stable")
    cells = [_value(*row) for row in zip(table["accuracy"], table["interval_95"], strict=True)]
    queries = np.where(table["transductive"], "together", "one by one")
    spent = table.groupby(["library", "method"])["milliseconds"].transform("mean").map("{:.1f}".format)
    made = table.assign(cell=cells, queries=queries)
    made["ms per episode"] = spent
    return _by_shots(made, ["library", "method", "queries", "ms per episode"])


def _by_shots(table: pd.DataFrame, keys: list[str]) -> str:
    """One row for each value of `keys`, in the table's order, a column of cells for each number of shots."""
    wide = table.pivot_table(values="cell", index=keys, columns="shots", aggfunc="first", sort=False)
    rows = (
        (*index, *(None if pd.isna(cell) else cell for cell in row))
        for index, row in zip(wide.index, wide.to_numpy(), strict=True)
    )
    return markdown((*keys, *(f"{shots}-shot" for shots in wide.columns)), rows)


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
    rows = []
    for name, records in _records(pipeline, folder).items():
        minutes, peaks = ([record[key] for record in records if key in record] for key in ("minutes", "peak_gib"))
        peak = f"{max(peaks):.2f}" if len(peaks) == len(records) else "not recorded"
        rows.append((f"`{name}`", ", ".join(f"{value:.1f}" for value in minutes), peak, f"{need(name):g}"))
    table = markdown(("stage", "minutes of each run", "peak, GiB", "make repro allows for, GiB"), rows)
    return f"{table}\n\nTogether {spent(pipeline, folder)}."


def spent(pipeline: Mapping, folder: str | Path = "provenance") -> str:
    """The minutes of all stages' last runs together, and on which machines."""
    records = [record for found in _records(pipeline, folder).values() for record in found]
    machines = {f"{record['processor']}, {record['processors']} processors" for record in records}
    return f"{sum(record['minutes'] for record in records):.0f} minutes, on {'; '.join(sorted(machines))}"


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
        digits = net.data == "mnist"
        file = f"train_{net.kind}/{net.name}"
        values = [_leaf(metrics.get(file, {}), "test.accuracy")]
        for shots in (1, 5):
            if digits:
                values.append(_leaf(metrics[f"one_shot_mnist/{net.name}"], f"unseen.shot_{shots}.accuracy"))
            elif net.classes == "seen":
                values.append(_leaf(metrics["one_shot_cifar10"], f"episodes.shot_{shots}.raw.accuracy"))
            else:
                values.append(None)
        unseen = parameters["mnist"]["unseen_digits"] if digits else parameters["cifar10"]["unseen_classes"]
        chance = None if values[1] is None else f"{1 / len(unseen):.2f}"
        rows.append((net.name, *map(_number, values), chance))
    return markdown(("net", "test accuracy, as classifier of seen classes", "1-shot", "5-shot", "chance"), rows)


def fill(text: str, tables: Mapping[str, str]) -> str:
    """Replace the text between <!-- NAME --> and <!-- /NAME -->; raises ValueError if one is missing."""
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"the comments <!-- {name} --> and <!-- /{name} --> are missing")
        text = pattern.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", text)
    return text


def generate() -> dict[Path, str]:
    """Generate the texts from the files in the working directory: {path: content}."""
    files = visible("metrics", "**/*.json")
    metrics = {path.relative_to("metrics").with_suffix("").as_posix(): read_json(path) for path in files}
    studies = {path.stem: pd.read_csv(path) for path in Path("research/tables").glob("*.csv")}
    growth = pd.read_csv("research/tables/growth.csv", dtype=str)
    seeds, thorough = spread(studies["seeds"]), spread(studies["seeds_thorough"])
    methods, together, confusion = (
        pd.read_csv(f"plots/one_shot_cifar10/{name}.csv") for name in ("methods", "transductive", "confusion")
    )
    confusions = {
        net: pd.read_csv(f"plots/one_shot_mnist/{net}/confusion.csv", dtype={"part": str}) for net in DRAWINGS
    }
    encoders = {path.stem: read_json(path) for path in sorted(Path("exports").glob("*.json"))}
    pipeline, parameters = load_yaml("dvc.yaml"), params.read()
    params.check(parameters, params.stage_schemas())
    images = parameters["cifar10"]
    protocol = metrics["one_shot_cifar10"]["report_protocol"]
    mean = mean_with(studies["seeds"], name_of(*PROTOCOL[:2]), parameters["seed"], protocol["accuracy"])
    tables = methods, together, confusion, confusions, of_siamese_nets(metrics)
    conclusions = sentences(protocol, *tables, mean, comparable=reported.same_task(images))
    made = {
        name: make(studies[name]) if name in studies and not studies[name].empty else not_measured(name)
        for name, make in (
            *(("ceilings", ceilings_table), ("ensembles", ensembles_table), ("ablations", ablations_table)),
            *(("baselines", baselines_table), ("class_splits", class_splits_table)),
            ("other_methods", other_methods_table),
        )
    }
    texts = {
        README: {
            "results": summary_table(metrics, seeds, headlines(parameters), images),
            "reached": "\n".join(("```", *reached.lines("."), "```")),
            "time": f"All stages of the stored run together took {spent(pipeline)}.",
        },
        DOCS / "results.md": {
            "results": results_table(metrics, seeds, thorough, {name: name for name in METRICS}, images),
            "confusions": confusions_table(confusions),
            "conclusions": "\n".join(f"- {sentence}" for sentence in conclusions),
            **made,
        },
        DOCS / "use.md": {"calibration": calibration_table(encoders)},
        DOCS / "architecture.md": {"stages": stages_table(pipeline)},
        DOCS / "model_card.md": {"card": card_table(metrics, parameters)},
        DOCS / "recipe.md": {"recipe_folds": recipe_folds_table(studies["recipe_folds"])},
        DOCS / "scaling.md": {
            "growth": markdown(list(growth), growth.itertuples(index=False)),
            "machine": "; ".join(studies["scaling"]["machine"].unique()),
            "cost": cost_table(pipeline),
        },
    }
    return {path: fill(path.read_text(encoding="utf-8"), tables) for path, tables in texts.items()}


def main() -> None:
    """Write the texts, or check that they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with status 1 if a table is stale")
    check = parser.parse_args().check
    try:
        stale = {path: text for path, text in generate().items() if path.read_text(encoding="utf-8") != text}
    except UserError as error:
        sys.exit(f"error: {error}")
    except FileNotFoundError as error:
        sys.exit(f"error: {error.filename} is missing: run this in the project's folder, or get the file from Git")
    if check and stale:
        sys.exit(f"error: the tables of {', '.join(map(str, stale))} are stale: run make results")
    for path, text in stale.items():
        write_bytes(path, text.encode())
        print(f"results: {path} is regenerated")


def _reported(name: str, cifar10: Mapping) -> str | None:
    """The report's value of one of METRICS; None if it gives none, or has other classes than this run."""
    file, _, value = METRICS[name]
    comparable = {"train_convnet/6-class": reported.same_net(cifar10), "one_shot_cifar10": reported.same_task(cifar10)}
    return _number(value) if comparable.get(file, True) else None


def _mean(means: pd.DataFrame, name: str) -> str | None:
    """Write a metric's mean over trainings, its 95% interval and their number; None if there is none."""
    found = means.set_index("metric").reindex([name]).iloc[0]
    if not found["trainings"] > 0:
        return None
    return f"{_value(found['mean'], found['interval_95'])} ({found['trainings']:.0f})"


def _value(mean: float, interval_95: float | None) -> str:
    """Write a mean and the half-width of its interval, which a single training or ensemble does not have."""
    return f"{mean:.3f}" + (
        "" if interval_95 is None or np.isnan(interval_95) else f" ± {half_width_text(interval_95)}"
    )


def _number(value: float | None) -> str | None:
    return None if value is None or np.isnan(value) else f"{value:.3f}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _leaf(tree: Mapping, key: str) -> float | None:
    """Return the value of a dotted key; None if it is missing or a group."""
    try:
        value = keys.get(tree, key)
    except KeyError:
        return None
    return value if isinstance(value, int | float) else None


if __name__ == "__main__":
    main()
