"""The parameters of the download."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from oneshot.core.params import Schema


def _distinct(sources: list[str]) -> list[str]:
    if len(set(sources)) < len(sources):
        raise ValueError("must not name a source twice")
    return sources


class DownloadParams(Schema):
    """The sources of the data, tried in this order, and the folder that the source `folder` reads."""

    sources: Annotated[list[Literal["folder", "official", "npm"]], Field(min_length=1), AfterValidator(_distinct)]
    folder: str

    @field_validator("folder")
    @classmethod
    def _given(cls, folder: str, info: ValidationInfo) -> str:
        if not folder and info.data.get("sources") == ["folder"]:
            raise ValueError("must name a folder, because download.sources lists no other source")
        return folder
