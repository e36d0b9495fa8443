"""Curves: one table per net, the same bytes whether the training ran at once or was resumed."""

import pandas as pd

from oneshot.training.checkpoint import Checkpoint
from oneshot.training.curves import Curves
from oneshot.training.loop import run_epochs

ROWS = [{"training/loss": 1.5, "validation/loss": 2.0}, {"training/loss": 0.1234567, "validation/loss": 1.0}]


def test_a_row_per_epoch_part_and_metric(tmp_path):
    curves = Curves(tmp_path / "plots/net.csv")
    for row in ROWS:
        curves.add(row)
    assert (tmp_path / "plots/net.csv").read_text() == (
        "epoch,part,metric,value\n"
        "1,training,loss,1.5\n1,validation,loss,2\n"
        "2,training,loss,0.123457\n2,validation,loss,1\n"
    )
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["net.csv"]


def test_the_file_is_written_after_each_epoch_and_replaces_an_old_one(tmp_path):
    path = tmp_path / "net.csv"
    path.write_text("of an earlier training\n")
    curves = Curves(path)
    assert path.read_text() == "of an earlier training\n"
    for count, row in enumerate(ROWS, 1):
        curves.add(row)
        assert pd.read_csv(path)["epoch"].unique().tolist() == list(range(1, count + 1))


def test_a_resumed_training_writes_the_same_curves(tmp_path):
    def train(name, stop=None):
        def train_epoch(epoch):
            if epoch == stop:
                raise KeyboardInterrupt
            return {"loss": 1 / (epoch + 3)}

        run_epochs(
            epochs=4,
            variables=[],
            train_epoch=train_epoch,
            validate=lambda epoch: {"loss": epoch / 7},
            checkpoint=Checkpoint(tmp_path, name, "params"),
            rate="net.learning_rate, which is 0.1",
            on_epoch=Curves(tmp_path / f"{name}.csv").add,
        )

    train("whole")
    try:
        train("resumed", stop=2)
    except KeyboardInterrupt:
        assert len(pd.read_csv(tmp_path / "resumed.csv")) == 4
    train("resumed")
    assert (tmp_path / "resumed.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(pd.read_csv(tmp_path / "whole.csv")) == 8
