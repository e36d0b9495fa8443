"""Generate the tables and sentences of the README and of docs/ from the stored results and the tables of the studies.

So no number in these texts is copied by hand. `--check` changes nothing and exits with status 1 if a table is stale.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.utils.serialize import load_yaml

from oneshot.core import keys, params
from oneshot.core.errors import UserError
from oneshot.core.files import read_json, visible, write_bytes
from oneshot.evaluation.confusion import error_shares, from_table
from oneshot.nets.table import DENSE, DRAWINGS, SIAMESE
from oneshot.page import reported
from oneshot.page.conclusions import of_siamese_nets, sentences
from oneshot.page.sections.ablations import last_epochs
from oneshot.page.sections.ceilings import over_trainings
from oneshot.page.sections.ensembles import over_ensembles
from oneshot.page.spread import PROTOCOL, mean_with, spread

README, RESULTS, CARD, RECIPE = map(Path, ("README.md", "docs/results.md", "docs/model_card.md", "docs/recipe.md"))
_REPORT_ONE_SHOT = sum(reported.ACCURACY.values()) / len(reported.ACCURACY)

# Title of a row: metrics file, key, the metric's name in research/tables/seeds.csv, the report's value.
ROWS: dict[str, tuple[str, str, str, float | None]] = {
    "ConvNet, 10 classes: test accuracy": (
        "train_convnet/10-class",
        "test.accuracy",
        "10-class net, test accuracy",
        reported.CONVNETS["10-class"].accuracy,
    ),
    "ConvNet, 10 classes: test loss": (
        "train_convnet/10-class",
        "test.loss",
        "10-class net, test loss",
        reported.CONVNETS["10-class"].loss,
    ),
    "ConvNet, 10 classes: accuracy with flip test-time averaging": (
        "train_convnet/10-class",
        "test_flip_averaged.accuracy",
        "10-class net, test accuracy, flip test-time averaging",
        None,
    ),
    "ConvNet, 6 classes: test accuracy": (
        "train_convnet/6-class",
        "test.accuracy",
        "6-class net, test accuracy",
        reported.CONVNETS["6-class"].accuracy,
    ),
    "ConvNet, 6 classes: test loss": (
        "train_convnet/6-class",
        "test.loss",
        "6-class net, test loss",
        reported.CONVNETS["6-class"].loss,
    ),
    "ConvNet, 6 classes: accuracy with flip test-time averaging": (
        "train_convnet/6-class",
        "test_flip_averaged.accuracy",
        "6-class net, test accuracy, flip test-time averaging",
        None,
    ),
    "one-shot, unseen classes, the report's protocol": (
        "one_shot_cifar10",
        "report_protocol.accuracy",
        PROTOCOL,
        _REPORT_ONE_SHOT,
    ),
    **{
        f"{shots}-shot, unseen classes, random episodes, {method}": (
            "one_shot_cifar10",
            f"episodes.shot_{shots}.{method}.accuracy",
            f"{shots}-shot, random episodes, {method}",
            None,
        )
        for shots in (1, 5)
        for method in (
            *("raw", "cl2n", "flip_cl2n", "whitened"),
            *("gap_whitened", "prerelu_gap_whitened", "flip_prerelu_gap_whitened"),
        )
    },
    **{
        f"{shots}-shot, unseen classes, all queries together, {method}": (
            "one_shot_cifar10",
            f"transductive.shot_{shots}.{method}.accuracy",
            f"{shots}-shot, all queries together, {method}",
            None,
        )
        for shots in (1, 5)
        for method in ("cl2n", "flip_prerelu_gap_whitened")
    },
    **{
        f"{net}, pairs of {group} digits: area under the ROC curve": (
            f"train_siamese/{net}",
            f"{group}.test.auc",
            f"{net}, {group} digits, AUC",
            None,
        )
        for net in SIAMESE
        for group in ("seen", "unseen")
    },
    **{
        f"{net}, {shots}-shot on the unseen digits": (
            f"one_shot_mnist/{net}",
            f"unseen.shot_{shots}.accuracy",
            f"{net}, unseen digits, {shots}-shot",
            None,
        )
        for net in (*SIAMESE, "dense-seen")
        for shots in (1, 5)
    },
    **{
        f"{net}, {shots}-shot on the unseen digits, maps_whitened": (
            f"one_shot_mnist/{net}",
            f"unseen.shot_{shots}.maps_whitened.accuracy",
            f"{net}, unseen digits, {shots}-shot, maps_whitened",
            None,
        )
        for net in SIAMESE
        for shots in (1, 5)
    },
    **{
        f"{net}, test accuracy": (f"train_dense_embedding/{net}", "test.accuracy", f"{net}, test accuracy", None)
        for net in DENSE
    },
}


def headlines(parameters: Mapping) -> dict[str, str]:
    """The README's rows, and what it calls them; parameters: all of params.yaml."""
    images, digits = parameters["cifar10"], parameters["mnist"]
    seen, unseen = len(images["seen_classes"]), len(images["unseen_classes"])
    known, new = (", ".join(map(str, digits[f"{part}_digits"])) for part in ("seen", "unseen"))
    protocol = f"the {unseen} other classes, from one example each: accuracy, the report's protocol"
    transformed = (
        f"the same {unseen} classes, transformed features with flip test-time averaging (flip_prerelu_gap_whitened)"
    )
    siamese = f"siamese net in 3-D, trained on the digits {known}: the digits {new}, from one example each"
    return {
        "ConvNet, 10 classes: test accuracy": "ConvNet trained on all 10 classes of CIFAR-10: test accuracy",
        "ConvNet, 6 classes: test accuracy": f"ConvNet trained on {seen} of them: test accuracy",
        "one-shot, unseen classes, the report's protocol": f"{protocol} (chance: {1 / unseen:.2f})",
        "1-shot, unseen classes, random episodes, flip_prerelu_gap_whitened": (
            f"{transformed}, in {parameters['one_shot']['episodes']:,} episodes"
        ),
        "siamese-3d, 1-shot on the unseen digits": f"{siamese} (chance: {1 / len(digits['unseen_digits']):.2f})",
        "siamese-3d, 1-shot on the unseen digits, maps_whitened": (
            "the same net and digits, by its last maps, transformed (maps_whitened), instead of its 3-D embedding"
        ),
    }


def results_table(
    metrics: Mapping[str, Mapping],
    seeds: pd.DataFrame,
    thorough: pd.DataFrame,
    titles: Mapping[str, str],
    cifar10: Mapping,
) -> str:
    """Make a Markdown table of some of ROWS: the report, the stored run, and the means over trainings by two recipes.

    metrics: by path below metrics/ without .json; seeds, thorough: spread() of seeds.csv and of that of the
    thorough recipe, which only the ConvNets follow; titles: {row: its title here}; cifar10: that group of params.yaml:
    the report's values of other classes are left out.
    """
    comparable = {"train_convnet/6-class": reported.same_net(cifar10), "one_shot_cifar10": reported.same_task(cifar10)}
    lines = ["| | report | stored run | mean of trainings | thorough recipe |", "|---|---|---|---|---|"]
    for row, title in titles.items():
        file, key, name, report = ROWS[row]
        value = _leaf(metrics[file], key)
        if value is None:
            continue  # one_shot in params.yaml leaves it out
        *group, leaf = key.split(".")
        interval = _leaf(metrics[file], ".".join([*group, "interval_95"])) if leaf == "accuracy" else None
        here = _value(value, interval)
        longer = _mean(thorough, name) if file.startswith(("train_convnet", "one_shot_cifar10")) else ""
        cells = [
            f"{report:.3f}" if report is not None and comparable.get(file, True) else "",
            here,
            _mean(seeds, name),
            longer,
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def confusions_table(confusions: Mapping[str, pd.DataFrame]) -> str:
    """Make a Markdown table of the two pairs of digits that each net confuses most, and of the report's pairs."""
    pairs = [f"{a} with {b}" for a, b in reported.CONFUSED_DIGITS]
    lines = [f"| net | first | second | {' | '.join(pairs)} |", "|---|---|---|---|---|"]
    for net, table in confusions.items():
        matrix, names = from_table(table.loc[table["part"] == "all"])
        shares = {f"{names[a]} with {names[b]}": share for a, b, share in error_shares(matrix)}
        main = [f"{pair} ({share:.0%})" for pair, share in list(shares.items())[:2]]
        # A run without these digits has no such pair.
        theirs = [f"{shares[pair]:.0%}" if pair in shares else "" for pair in pairs]
        lines.append(f"| {net} | {' | '.join(main)} | {' | '.join(theirs)} |")
    return "\n".join(lines)


def ablations_table(table: pd.DataFrame) -> str:
    """Make a Markdown table of the last epoch of each training; table: research/tables/ablations.csv."""
    if table.empty:
        return "Not measured yet: `dvc --cd research repro ablations` makes this table."
    lines = [
        "| training | epochs | minutes | validation accuracy | ours by then | test loss | test accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in last_epochs(table).to_dict("records"):
        values = [row[name] for name in ("validation_accuracy", "ours_by_then", "test_loss", "test_accuracy")]
        shown = " | ".join("" if pd.isna(value) else f"{value:.3f}" for value in values)
        lines.append(f"| {row['training']} | {row['epoch']} | {row['minutes']:.1f} | {shown} |")
    return "\n".join(lines)


def ceilings_table(table: pd.DataFrame) -> str:
    """Make a Markdown table of the accuracy on unseen digits over trainings; table: research/tables/ceilings.csv."""
    if table.empty:
        return "Not measured yet: `dvc --cd research repro ceilings` makes this table."
    lines = ["| features | shots | accuracy | trainings |", "|---|---|---|---|"]
    for row in over_trainings(table).to_dict("records"):
        value = _value(row["mean"], row["deviation"])
        lines.append(f"| {row['net']} | {row['shots']} | {value} | {row['trainings'] or ''} |")
    return "\n".join(lines)


def ensembles_table(table: pd.DataFrame) -> str:
    """Make a Markdown table of the accuracy by the nets of several trainings together; table: ensembles.csv."""
    if table.empty:
        return "Not measured yet: `dvc --cd research repro ensembles` makes this table."
    means, deviations = over_ensembles(table)
    lines = [f"| setting | {' | '.join(means)} |", "|---" * (1 + len(means.columns)) + "|"]
    for setting in means.index:
        cells = zip(means.loc[setting], deviations.loc[setting], strict=True)
        lines.append(f"| {setting} | {' | '.join('' if pd.isna(cell[0]) else _value(*cell) for cell in cells)} |")
    return "\n".join(lines)


def recipe_folds_table(table: pd.DataFrame) -> str:
    """Make a Markdown table of research/tables/recipe_folds.csv: a row per measure, gains over plain in points."""
    recipes = [name for name in table["recipe"].drop_duplicates() if name != "plain"]
    lines = [f"| measured | plain | {' | '.join(recipes)} |", "|---|---|" + "---|" * len(recipes)]
    for method, shots in table[["method", "shots"]].drop_duplicates().itertuples(index=False):
        rows = table[(table["method"] == method) & (table["shots"] == shots)].set_index("recipe")
        name = "**the rule: mean of the four below in bold**" if method == "rule" else f"{shots}-shot, {method}"
        name = f"**{name}**" if method in ("raw", "flip_prerelu_gap_whitened") else name
        gains = [f"{100 * rows['gain'][one]:+.1f} ± {100 * rows['interval_95'][one]:.1f}" for one in recipes]
        lines.append(f"| {name} | {rows['accuracy']['plain']:.3f} | {' | '.join(gains)} |")
    last = table[table["method"] == "rule"].set_index("recipe")
    best = last["accuracy"].idxmax()
    behind = [
        f"{name} {100 * last['behind_best'][name]:.1f} ± {100 * last['behind_interval_95'][name]:.1f}"
        for name in last.index
        if name != best
    ]
    return "\n".join([*lines, "", f"By the rule, *{best}* is best; points behind it: {', '.join(behind)}."])


def stages_table(pipeline: Mapping) -> str:
    """Make a Markdown table of the stages of dvc.yaml: name, description and variants."""
    lines = ["| stage | what it makes | runs for |", "|---|---|---|"]
    for name, stage in pipeline["stages"].items():
        variants = list(stage.get("foreach", {})) or [
            item for items in stage.get("matrix", {}).values() for item in items
        ]
        lines.append(f"| `{name}` | {stage.get('do', stage)['desc']} | {', '.join(variants)} |")
    return "\n".join(lines)


def card_table(metrics: Mapping[str, Mapping], parameters: Mapping) -> str:
    """Make a Markdown table of the exported nets: accuracy on what they were trained on, and on unseen classes."""
    images, digits = parameters["cifar10"]["unseen_classes"], parameters["mnist"]["unseen_digits"]
    chance = dict.fromkeys(reported.CONVNETS, 1 / len(images)) | dict.fromkeys(DRAWINGS, 1 / len(digits))
    lines = [
        "| net | test accuracy, as classifier of seen classes | 1-shot | 5-shot | chance |",
        "|---|---|---|---|---|",
    ]
    for net, part in chance.items():
        trained = "train_convnet" if net in reported.CONVNETS else "train_dense_embedding"
        values = [_leaf(metrics.get(f"{trained}/{net}", {}), "test.accuracy")]
        for shots in (1, 5):
            if net in DRAWINGS:
                values.append(_leaf(metrics[f"one_shot_mnist/{net}"], f"unseen.shot_{shots}.accuracy"))
            else:
                value = _leaf(metrics["one_shot_cifar10"], f"episodes.shot_{shots}.raw.accuracy")
                values.append(value if net == "6-class" else None)
        cells = ["" if value is None else f"{value:.3f}" for value in values]
        lines.append(f"| {net} | {' | '.join(cells)} | {f'{part:.2f}' if values[1] else ''} |")
    return "\n".join(lines)


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
    trainings, thorough = (
        pd.read_csv(path) for path in ("research/tables/seeds.csv", "research/tables/seeds_thorough.csv")
    )
    seeds, thorough = spread(trainings), spread(thorough)
    methods, together, confusion = (
        pd.read_csv(f"plots/one_shot_cifar10/{name}.csv") for name in ("methods", "transductive", "confusion")
    )
    confusions = {
        net: pd.read_csv(f"plots/one_shot_mnist/{net}/confusion.csv", dtype={"part": str}) for net in DRAWINGS
    }
    pipeline, parameters = load_yaml("dvc.yaml"), params.read()
    params.check(parameters, params.stage_schemas())
    images = parameters["cifar10"]
    protocol = metrics["one_shot_cifar10"]["report_protocol"]
    mean = mean_with(trainings, PROTOCOL, parameters["seed"], protocol["accuracy"])
    tables = methods, together, confusion, confusions, of_siamese_nets(metrics)
    conclusions = sentences(protocol, *tables, mean, comparable=reported.same_task(images))
    return {
        README: fill(
            README.read_text(encoding="utf-8"),
            {
                "results": results_table(metrics, seeds, thorough, headlines(parameters), images),
                "stages": stages_table(pipeline),
                "conclusions": "\n".join(f"- {sentence}" for sentence in conclusions),
            },
        ),
        RESULTS: fill(
            RESULTS.read_text(encoding="utf-8"),
            {
                "results": results_table(metrics, seeds, thorough, {row: row for row in ROWS}, images),
                "confusions": confusions_table(confusions),
                "ceilings": ceilings_table(pd.read_csv("research/tables/ceilings.csv")),
                "ensembles": ensembles_table(pd.read_csv("research/tables/ensembles.csv")),
                "ablations": ablations_table(pd.read_csv("research/tables/ablations.csv")),
            },
        ),
        CARD: fill(CARD.read_text(encoding="utf-8"), {"card": card_table(metrics, parameters)}),
        RECIPE: fill(
            RECIPE.read_text(encoding="utf-8"),
            {"recipe_folds": recipe_folds_table(pd.read_csv("research/tables/recipe_folds.csv"))},
        ),
    }


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


def _mean(means: pd.DataFrame, name: str) -> str:
    """Write a metric's mean over trainings, its deviation and their number; "" if there is none."""
    found = means.set_index("metric").reindex([name]).iloc[0]
    if not found["trainings"] > 0:
        return ""
    return f"{_value(found['mean'], found['deviation'])} ({found['trainings']:.0f})"


def _value(mean: float, deviation: float | None) -> str:
    """Write a mean and its deviation, which a single training or ensemble does not have."""
    return f"{mean:.3f}" + ("" if deviation is None or np.isnan(deviation) else f" +/- {_spread(deviation)}")


def _spread(value: float) -> str:
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"


def _leaf(tree: Mapping, key: str) -> float | None:
    """Return the value of a dotted key; None if it is missing or a group."""
    try:
        value = keys.get(tree, key)
    except KeyError:
        return None
    return value if isinstance(value, int | float) else None


if __name__ == "__main__":
    main()
