import pytest

from oneshot.core.errors import UserError
from oneshot.core.params import Schema, check, validate
from oneshot.download.params import DownloadParams


class Stage(Schema):
    download: DownloadParams


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sources", ["npm", "web"], r"download\.sources\.1: should be 'folder', 'official' or 'npm', but is 'web'"),
        ("sources", ["npm", "npm"], r"download\.sources: must not name a source twice"),
        ("sources", [], r"download\.sources: List should have at least 1 item"),
        (
            "sources",
            ["folder"],
            r"download\.folder: must name a folder, because download\.sources lists no other source",
        ),
        ("folder", None, r"download\.folder: should be a valid string, but is None"),
        ("folders", "x", r"download"),
    ],
)
def test_bad_parameters(key, value, message):
    tree = {"download": {"sources": ["npm"], "folder": ""} | {key: value}}
    if key == "folders":
        with pytest.raises(UserError, match=r"no stage reads the parameter download\.folders; did you mean"):
            check(tree, {"download": Stage})
        return
    with pytest.raises(UserError, match=f"^params.yaml: {message}"):
        validate(tree, Stage)
