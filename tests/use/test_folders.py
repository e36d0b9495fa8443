"""Folders of images: a class per sub-folder, in order; what is not used is noted; every mistake has its sentence."""

import os
import unicodedata

import pytest

from oneshot.core.errors import UserError
from oneshot.use.folders import Found, examples, images, repeated


def fill(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_classes_and_images_are_in_the_order_of_their_names(tmp_path):
    fill(
        tmp_path, "dog/b.png", "dog/a.JPG", "cat/deep/er/z.webp", "cat/y.png", "Käse und Brot/1.tif", "cat/.hidden.png"
    )
    fill(tmp_path, ".git/x.png")
    found = examples(tmp_path)
    listed = [
        (path.relative_to(tmp_path).as_posix(), name) for path, name in zip(found.paths, found.names, strict=True)
    ]
    assert listed == [
        ("Käse und Brot/1.tif", "Käse und Brot"),
        ("cat/deep/er/z.webp", "cat"),
        ("cat/y.png", "cat"),
        ("dog/a.JPG", "dog"),
        ("dog/b.png", "dog"),
    ]
    assert found.notes == []


def test_what_is_no_image_is_noted(tmp_path):
    fill(tmp_path, "a/1.png", "b/1.png", "b/notes.txt", "loose.png", "a/x.mp4", "a/y.eps")
    nameless, misplaced = examples(tmp_path).notes
    assert nameless.startswith("3 files are skipped, without the ending of an image: ") and "notes.txt" in nameless
    assert misplaced == f"1 file is skipped, not in the folder of a class: {tmp_path}/loose.png"
    (note,) = images([fill(tmp_path / "more", "1.png", "2.txt")]).notes
    assert note == f"1 file is skipped, without the ending of an image: {tmp_path}/more/2.txt"


def test_files_and_folders_are_joined_and_a_file_named_twice_is_taken_once(tmp_path):
    fill(tmp_path, "a/1.png", "a/2.png", "b.data", "c.png")
    os.symlink(tmp_path / "c.png", tmp_path / "d.png")
    places = [tmp_path / "b.data", tmp_path / "a", str(tmp_path / "a/2.png"), tmp_path / "c.png", tmp_path / "d.png"]
    found = images(places)
    assert [path.name for path in found.paths] == ["b.data", "1.png", "2.png", "c.png"]
    assert found.notes == [f"2 files are named twice and taken once: {tmp_path}/a/2.png, {tmp_path}/d.png"]


def test_links_to_folders_are_not_followed_round_and_round(tmp_path):
    fill(tmp_path, "a/1.png", "b/1.png")
    os.symlink(tmp_path, tmp_path / "a/again")
    assert len(examples(tmp_path).paths) == 2


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "has no folders with images in it: put the images of each class into a folder that has its name"),
        (["1.png"], "has no folders with images in it"),
        (["a/1.png", "b/1.txt"], "/b holds no image: put one into it, or remove the folder"),
        (["a/1.png", "b/.1.png"], r"has one class only, a \(not counted: .*/b\): there is nothing"),
        (["a/1.png", "cross.png"], r"has one class only, a \(not counted: .*/cross.png\)"),
        (["train/a/1.png", "train/b/1.png"], r"has one class only, train: .* did you mean .*/train\?"),
        (["a/1.png", "a/2.png"], "has one class only, a: there is nothing to tell apart; add a folder"),
        (["Cat/1.png", "cat/1.png"], "has a class twice, Cat and cat: give them different names, or join them"),
    ],
)
def test_mistakes_in_a_folder_of_examples_end_in_a_sentence(tmp_path, names, sentence):
    fill(tmp_path, *names)
    with pytest.raises(UserError, match=sentence):
        examples(tmp_path)


def test_one_name_in_two_spellings_of_unicode_is_one_name(tmp_path):
    fill(tmp_path, *(f"{unicodedata.normalize(form, 'été')}/1.png" for form in ("NFC", "NFD")))
    with pytest.raises(UserError, match="has a class twice"):
        examples(tmp_path)


def test_a_link_to_a_folder_elsewhere_is_followed_and_one_that_leads_back_is_noted(tmp_path):
    fill(tmp_path, "set/a/1.png", "set/b/1.png", "elsewhere/2.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "set/a/more")
    os.symlink(tmp_path / "set", tmp_path / "set/b/back")
    found = examples(tmp_path / "set")
    assert [path.name for path in found.paths] == ["1.png", "2.png", "1.png"]
    assert found.notes == [f"1 file is skipped, without the ending of an image: {tmp_path}/set/b/back"]


def test_what_systems_leave_and_empty_folders_are_noted(tmp_path):
    fill(tmp_path, "a/1.png", "a/Thumbs.db", "b/1.png", "__MACOSX/x.png", "desktop.ini", "b/phone.HEIC", "b/two.mpo")
    (tmp_path / "c").mkdir()
    found = examples(tmp_path)
    assert [path.name for path in found.paths] == ["1.png", "1.png", "phone.HEIC", "two.mpo"]
    skipped, empty = found.notes
    assert skipped.startswith("3 files are skipped") and empty == f"1 folder is empty and skipped: {tmp_path}/c"


def test_an_image_per_class_only_where_it_is_asked_for(tmp_path):
    fill(tmp_path, "A.png", "B.jpg", "notes.txt")
    assert examples(tmp_path, flat=True).names == ["A", "B"]
    with pytest.raises(UserError, match="has no folders with images in it"):
        examples(tmp_path)
    fill(tmp_path, "A.jpg")
    with pytest.raises(UserError, match="has a class twice, A and A"):
        examples(tmp_path, flat=True)


def test_files_of_the_same_bytes_are_found(tmp_path):
    for name, content in {"a/1.png": b"x", "b/1.png": b"x", "b/2.png": b"y", "q/1.png": b"y", "q/2.png": b"z"}.items():
        fill(tmp_path, name)
        (tmp_path / name).write_bytes(content)
    known, asked = (
        Found([tmp_path / n for n in ("a/1.png", "b/1.png", "b/2.png")], ["a", "b", "b"], []),
        images([tmp_path / "q"]),
    )
    across, among = repeated(known, asked)
    assert across == f"1 image is in more than one class: {tmp_path}/a/1.png"
    assert among == f"1 image is an example too, which is no test of it: {tmp_path}/q/1.png"


def test_a_missing_folder_a_file_and_an_empty_folder_are_named(tmp_path):
    fill(tmp_path, "file.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="none is missing: give the path of a folder with a folder of images per class"):
        examples(tmp_path / "none")
    with pytest.raises(UserError, match=r"file\.png is a file"):
        examples(tmp_path / "file.png")
    with pytest.raises(UserError, match="none is missing: give the path of an image, or of a folder of images"):
        images([tmp_path / "none"])
    with pytest.raises(UserError, match="empty holds no image"):
        images([tmp_path / "empty"])
    with pytest.raises(UserError, match="no image is named"):
        images([])
    for find in (examples, lambda place: images([place])):
        with pytest.raises(UserError, match=r"cannot be opened|is missing"):
            find("a" * 5000)
