"""The table of experiments fits a terminal of 80 columns, whatever they lack."""

from tools.experiments import line


def test_a_line_has_the_margin_and_three_accuracies_in_80_columns():
    row = {
        "Experiment": "a-name-that-is-much-longer-than-its-column",
        "rev": "1234567",
        "margin": 2.0,
        "metrics/one_shot_cifar10.json:report_protocol.accuracy": 0.632961,
        "metrics/one_shot_mnist/siamese-2d.json:unseen.shot_1.accuracy": 0.590806,
        "metrics/one_shot_mnist/siamese-3d.json:unseen.shot_1.accuracy": 0.646781,
        "metrics/one_shot_mnist/siamese-3d.json:seen.shot_1.accuracy": 0.99,
    }
    shown = line(row)
    assert len(shown) <= 80 and shown.split()[1:] == ["2", "0.633", "0.5908", "0.6468"]
    for state in ("Queued", "Running", "Failed"):
        assert line(row | {"State": state}).split()[1:] == ["2", state, "-", "-"], "the metrics are of another commit"
    assert line(row | {"State": "Success"}) == shown
    assert line({"rev": "main"}).split() == ["main", "-", "-", "-", "-"]
    assert line({"rev": "main", "report_protocol.accuracy": 0.5}).split() == ["main", "-", "0.5", "-", "-"]
