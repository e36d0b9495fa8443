"""Accuracy by several nets together."""

import pandas as pd
import pytest

from oneshot.page.sections.ensembles import over_ensembles, section
from tests.page.made_up import made_up


def test_ensembles_of_one_size_are_averaged():
    rows = [
        (recipe, len(seeds.split()), seeds, setting, accuracy + 0.1 * (recipe == "thorough"))
        for recipe in ("default", "thorough")
        for setting, gain in (("report's protocol, raw", 0), ("1-shot raw", 0.2))
        for seeds, accuracy in (("1", 0.1 + gain), ("2", 0.3 + gain), ("1 2", 0.4 + gain))
    ]
    found = over_ensembles(pd.DataFrame(rows, columns=["recipe", "nets", "seeds", "setting", "accuracy"]))
    assert list(found) == ["recipe", "nets", "ensembles", "report's protocol, raw", "1-shot raw"]
    assert found.iloc[:, :3].to_numpy().tolist() == [
        *(["default", 1, 2], ["default", 2, 1]),
        *(["thorough", 1, 2], ["thorough", 2, 1]),
    ]
    assert found["report's protocol, raw"].tolist() == pytest.approx([0.2, 0.4, 0.3, 0.5])
    assert found["1-shot raw"].tolist() == pytest.approx([0.4, 0.6, 0.5, 0.7])


def test_the_page_has_a_column_per_setting():
    found = section(made_up())
    assert found["ensemble_settings"] == ["1-shot raw"]
    assert [(row["nets"], row["ensembles"]) for row in found["ensembles"]] == [(1, 2), (2, 1)]
    assert found["ensembles"][0]["1-shot raw"] == pytest.approx(0.65)
