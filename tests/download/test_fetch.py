import multiprocessing

from oneshot.download.catalogue import HOSTS
from oneshot.download.fetch import fetch, save
from tests.helpers.download import files_below, fill, packed, params


def test_sources_are_tried_in_order_until_one_gives_all(mnist, web, tmp_path, monkeypatch, capsys):
    name = "train-images-idx3-ubyte"
    mine = fill(tmp_path / "mine", {name: mnist[name]})  # one file of four
    monkeypatch.setitem(HOSTS, "mnist", [web.address])
    web.pages = {f"/{name}": [content] for name, content in packed(mnist).items()}
    assert fetch("mnist", params("folder", "official", folder=mine)) == mnist
    assert f"/{name}.gz" not in web.asked  # the folder had it
    said = capsys.readouterr().out
    assert said.index("trying folder") < said.index("not from folder") < said.index("trying official")
    assert "mnist: verified, from official" in said


def test_processes_at_once_do_not_spoil_each_other(mnist, tmp_path):
    mine = fill(tmp_path / "mine", mnist)

    def work(number):
        for _ in range(20):
            contents = fetch("mnist", params("folder", folder=mine))
            assert contents == mnist
            save(tmp_path / f"out-{number}", contents)
            (tmp_path / "cache" / "mnist" / list(mnist)[number]).write_bytes(b"spoilt")

    processes = [multiprocessing.get_context("fork").Process(target=work, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert fetch("mnist", params("folder", folder=mine)) == mnist
    assert files_below(tmp_path / "cache" / "mnist") == mnist  # and no temporary file
