"""The page as a file: the same bytes each time, well-formed, and complete in itself."""

import re

import pytest

from oneshot.page.contents import contents
from oneshot.page.render import data_of, render
from tests.page.elements import Elements
from tests.page.made_up import made_up


def test_the_same_results_give_the_same_bytes(page: bytes):
    assert render(contents(made_up())) == page
    assert b"\r" not in page, "Git would store other line ends"


def test_every_element_is_closed_in_its_place(page: bytes):
    elements = Elements(page)
    assert elements.open == [] and elements.misplaced == []


def test_no_two_elements_have_the_same_id(page: bytes):
    ids = [attributes["id"] for _, attributes in Elements(page).found if "id" in attributes]
    assert len(set(ids)) == len(ids)


def test_the_page_needs_nothing_else(page: bytes):
    for tag, attributes in Elements(page).found:
        assert tag not in {"img", "iframe"}
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    style = re.search(r"<style>(.*?)</style>", page.decode(), re.DOTALL)[1]
    assert "@import" not in style
    assert all(target.startswith("data:") for target in re.findall(r"url\(([^)]{0,9})", style))


def test_pictures_and_charts_have_a_text_instead(page: bytes):
    for tag, attributes in Elements(page).found:
        if attributes.get("role") in ("img", "region", "group"):
            assert attributes["aria-label"], (tag, attributes)


def test_data_that_looks_like_markup_ends_no_script():
    content = contents(made_up())
    content["charts"]["methods"]["data"][0]["name"] = odd = "</script><script>alert(1)</script>"
    page = render(content)
    assert odd.encode() not in page
    assert data_of(page)["charts"]["methods"]["data"][0]["name"] == odd


def test_a_value_that_the_template_does_not_know_is_an_error():
    content = contents(made_up())
    del content["few_shot"]
    with pytest.raises(Exception, match="'few_shot' is undefined"):
        render(content)
