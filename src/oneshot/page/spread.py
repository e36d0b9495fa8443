"""The spread of metrics over trainings with different seeds."""

import pandas as pd


def spread(trainings: pd.DataFrame) -> pd.DataFrame:
    """Summarise docs/seeds.csv: one row per metric, with mean, deviation (n - 1) and number of trainings.

    trainings: one row per training; the columns besides seed, machine and inputs are metrics.
    """
    metrics = trainings.drop(columns=["seed", "machine", "inputs"])
    columns = {"mean": metrics.mean(), "deviation": metrics.std(), "trainings": metrics.count()}
    return pd.DataFrame(columns).rename_axis("metric").reset_index()
