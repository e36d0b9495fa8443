"""The first episode of the report's protocol."""

import numpy as np

from oneshot.evaluation import report_protocol
from oneshot.page.sections import one_shot, pairs
from oneshot.page.sections.episode import section
from tests.page.made_up import made_up


def test_examples_and_their_distances_are_those_of_the_first_episode():
    results = made_up()
    features, labels, _ = results.unseen()
    draws = results.protocol
    examples = [int(draws.pool[position]) for (position,) in draws.support[0]]
    episode = section(results)["episode"]
    assert episode["labels"] == labels[examples].tolist() == [6, 7, 8, 9]
    for row, one in enumerate(examples):
        for column, other in enumerate(examples):
            apart = np.linalg.norm(features[one].astype(float) - features[other].astype(float))
            assert abs(episode["distances"][row][column] - apart) < 1e-6
    assert episode["queries"] == 4 * 8, "nine images of each class, an example among them"
    assert episode["accuracy"] == np.trace(draws.confusions[0]) / 32


def test_the_protocol_is_run_once_for_all_sections(monkeypatch):
    results, run, calls = made_up(), report_protocol.run, []
    monkeypatch.setattr(report_protocol, "run", lambda *given, **named: calls.append(1) or run(*given, **named))
    for make in (section, one_shot.section, pairs.section):
        make(results)
    assert len(calls) == 1
