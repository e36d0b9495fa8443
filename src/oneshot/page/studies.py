"""The studies' tables as they are shown, on the page and in docs/results.md: a function for each CSV file."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from oneshot.evaluation.methods import DIGIT_METHODS, METHODS
from oneshot.page.metrics import METRICS, of_report, stored
from oneshot.page.spread import half_width, mean_text, mean_with, spread, value_text

# What is shown for the trainings of the study `report_recipe`, and for the features of the study `baselines`.
RECIPES = {
    "ours": "our recipe",
    "report": "recipe of the report",
}
_FEATURES = {
    "pixels": "raw pixels",
    "random": "the net with random weights",
    "plain": "cross-entropy alone",
    "default": "the default recipe",
    "pretrained": "EfficientNet-Lite0, trained on ImageNet",
    "cosine": "cosine head (Gidaris & Komodakis 2018)",
    "supcon": "supervised contrastive loss (Khosla et al. 2020)",
    "prototypical": "prototypical networks (Snell et al. 2017)",
    "digits-pixels": "digits: raw pixels",
    "digits-random": "digits: random weights",
    "digits-classifier": "digits: classifier",
    "digits-siamese": "digits: siamese net",
}


def in_words(name: str) -> str:
    """Write the method at the end of a name as charts do: "soft k-means, cl2n" becomes "soft k-means, CL2N"."""
    before, space, method = name.rpartition(" ")
    known = METHODS | DIGIT_METHODS
    return f"{before}{space}{known[method].label}" if method in known else name


class Table(NamedTuple):
    """A table as a reader sees it; the first cell of a row names the row, and None is an empty cell."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]


def shown(studies: Mapping[str, pd.DataFrame]) -> dict[str, Table]:
    """The table of each study that has run, by name."""
    return {name: make(studies[name]) for name, make in TABLES.items() if name in studies and not studies[name].empty}


def all_metrics(metrics: Mapping[str, Mapping], seeds: pd.DataFrame, thorough: pd.DataFrame, params: Mapping) -> Table:
    """METRICS of the report and of a run, and their means over trainings by two recipes.

    metrics: by path below metrics/ without .json; seeds, thorough: research/tables/seeds.csv and that of the thorough
    recipe, which only the ConvNets follow; params: all parameters. A mean is left out if the run is not one of the
    trainings, as it then says nothing about it.
    """
    longest, rows = spread(thorough), []
    for name, (file, key, _) in METRICS.items():
        value = stored(metrics, file, key)
        if value is not None:  # one_shot in params.yaml leaves some out
            run = value_text(value, stored(metrics, file, f"{key.rpartition('.')[0]}.interval_95"))
            mean = mean_with(seeds, name, params["seed"], value)
            of_convnets = file.startswith(("train_convnet", "one_shot_cifar10"))
            longer = mean_text(longest, name) if mean and of_convnets else None
            report = value_text(of_report(name, params["cifar10"]))
            rows.append((in_words(name), report, run, mean and mean.text, longer))
    return Table(("metric", "report", "this run", "mean of trainings", "thorough recipe"), rows)


def report_recipe(table: pd.DataFrame) -> Table:
    """The last epoch of each training of the 10-class net."""
    values = ("validation_accuracy", "test_loss", "test_accuracy")
    rows = [
        (RECIPES[row["training"]], row["epoch"], f"{row['minutes']:.1f}", *(value_text(row[name]) for name in values))
        for row in table.groupby("training", sort=False).tail(1).to_dict("records")
    ]
    return Table(("recipe", "epochs", "minutes", *(name.replace("_", " ") for name in values)), rows)


def ceilings(table: pd.DataFrame) -> Table:
    """The accuracy on unseen digits over trainings."""
    rows = [
        (in_words(row["net"]), row["shots"], value_text(row["mean"], row["interval_95"]), row["trainings"] or None)
        for row in over_trainings(table).to_dict("records")
    ]
    return Table(("features", "shots", "accuracy", "trainings"), rows)


def over_trainings(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise ceilings.csv: a row per number of shots and net, with mean, deviation (n - 1),
    trainings and the half-width of the mean's 95% interval.

    The nets stand in the order of the table, fewest shots first; trainings: 0 for raw pixels and for several
    nets together.
    """
    groups = table.sort_values("shots", kind="stable").groupby(["shots", "net"], sort=False)
    summary = groups["accuracy"].agg(mean="mean", deviation="std").assign(trainings=groups["seed"].count())
    return summary.assign(interval_95=half_width(summary["deviation"], summary["trainings"])).reset_index()


def ensembles(table: pd.DataFrame) -> Table:
    """The accuracy of the nets of several trainings together, in a column per number of nets."""
    means, intervals = over_ensembles(table)
    rows = [
        (in_words(setting), *map(value_text, means.loc[setting], intervals.loc[setting])) for setting in means.index
    ]
    return Table(("setting", *means), rows)


def over_ensembles(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise ensembles.csv: mean accuracies over the ensembles of each size, and their 95% intervals.

    Both have a row per setting, and a column per number of nets, whose title says how many ensembles there are.
    Half-widths are over trainings, by Student's t. Ensembles of several nets share nets, so their interval would be
    too small: it is missing, as that of a single training, and as what was not measured.
    """
    shape = {"values": "accuracy", "index": "setting", "columns": "nets", "sort": False}
    means = table.pivot_table(aggfunc="mean", **shape).sort_index(axis=1)
    single = table.loc[table["nets"] == 1]
    deviations, trainings = (
        single.pivot_table(aggfunc=how, **shape).reindex(index=means.index, columns=means.columns)
        for how in ("std", "count")
    )
    intervals = half_width(deviations, trainings)
    counts = table.groupby("nets")["seeds"].nunique()
    titles = [f"{nets} net{'s' if nets != 1 else ''} ({counts[nets]})" for nets in means]
    return means.set_axis(titles, axis=1), intervals.set_axis(titles, axis=1)


def baselines(table: pd.DataFrame) -> Table:
    """Ways to get features, each with several transforms."""
    named = table.assign(arm=table["arm"].replace(_FEATURES), method=table["method"].map(in_words))
    return _by_shots(named, {"arm": "features", "method": "transform", "trainings": "seeds"})


def other_methods(table: pd.DataFrame) -> Table:
    """The methods of both libraries, with the mean of their times over the numbers of shots."""
    times = table.groupby(["library", "method"])["milliseconds"].transform("mean").map("{:.1f}".format)
    queries = np.where(table["transductive"], "together", "one by one")
    named = table.assign(method=table["method"].map(in_words), queries=queries, times=times)
    columns = {"method": "method", "library": "library", "queries": "queries", "times": "ms per episode"}
    return _by_shots(named, columns)


def class_splits(table: pd.DataFrame) -> Table:
    """The report's choice of unseen classes among random ones."""
    rows = [
        (
            *(row["data"], in_words(row["method"]), row["shots"], value_text(row["given"])),
            f"{row['mean']:.3f} ({row['deviation']:.3f})",
            f"{row['lowest']:.3f} to {row['highest']:.3f}",
            f"{row['rank']} of {row['splits'] + 1}",
        )
        for row in table.to_dict("records")
    ]
    random = ("mean of random choices (standard deviation)", "their range", "rank of the report's")
    return Table(("data", "transform", "shots", "the report's choice", *random), rows)


# Those that stand on the page and in docs/results.md.
TABLES: dict[str, Callable[[pd.DataFrame], Table]] = {
    "report_recipe": report_recipe,
    "baselines": baselines,
    "ceilings": ceilings,
    "class_splits": class_splits,
    "ensembles": ensembles,
    "other_methods": other_methods,
}


def _by_shots(table: pd.DataFrame, names: Mapping[str, str]) -> Table:
    """One row per value of some columns, in the table's order, with accuracies by shots; names: {column: its title}."""
    cells = [value_text(*row) for row in zip(table["accuracy"], table["interval_95"], strict=True)]
    shape = {"values": "cell", "index": list(names), "columns": "shots", "aggfunc": "first", "sort": False}
    wide = table.assign(cell=cells).pivot_table(**shape)
    header = (*names.values(), *(f"{shots}-shot" for shots in wide.columns))
    wide = wide.astype(object).where(wide.notna(), None)
    return Table(header, list(wide.reset_index().itertuples(index=False, name=None)))
