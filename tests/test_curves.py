"""Curves: the same files whether the training ran at once or was resumed."""

from oneshot.curves import Curves

ROWS = [{"train/loss": 1.5, "validation/loss": 2.0}, {"train/loss": 0.1234567, "validation/loss": 1.0}]


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder, rows):
    curves = Curves(folder)
    for row in rows:
        curves.add(row)
    curves.close()


def test_one_file_a_figure_and_nothing_else(tmp_path):
    write(tmp_path / "a", ROWS)
    assert content(tmp_path / "a") == {
        "plots/metrics/train/loss.tsv": b"step\tloss\n0\t1.5\n1\t0.123457\n",
        "plots/metrics/validation/loss.tsv": b"step\tloss\n0\t2.0\n1\t1.0\n",
    }


def test_a_resumed_training_writes_the_same_curves(tmp_path):
    write(tmp_path / "whole", ROWS)
    Curves(tmp_path / "cut").add(ROWS[0])
    write(tmp_path / "cut", ROWS)
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
