"""The page as one HTML file of template, style, script, plotly.js and data, with the same bytes each time."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from oneshot.page.results import EMBEDDINGS
from oneshot.page.spread import half_width_text
from oneshot.plotting.palette import COLOURS

_FOLDER = Path(__file__).parent
_UNKNOWN = "\N{EN DASH}"


def render(contents: Mapping) -> bytes:
    """Render the result of contents.contents() as an HTML page that needs no other file."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "signed": _signed, "percent": _percent, "grouped": "{:,}".format}
    environment.filters |= {"listed": _listed, "half_width": _half_width, "cell": _cell}
    text = environment.get_template("page.html").render(
        contents,
        colours=COLOURS,
        embeddings=EMBEDDINGS,
        style=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        scripts=[Markup((_FOLDER / name).read_text(encoding="utf-8")) for name in ("page.js", "drawing.js")],
        plotly=Markup(get_plotlyjs()),
        data=_data(
            {
                "charts": contents["charts"],
                "sets": contents["sets"],
                "net": contents["net"],
                "columns": {name: sheet["columns"] for name, sheet in contents["sheets"].items()},
            }
        ),
    )
    return text.encode()


def data_of(page: bytes) -> dict:
    """Read the data from a rendered page: {"charts": ..., "sets": ..., "net": ..., "columns": ... of each sheet}."""
    start = '<script type="application/json" id="data">'
    _, _, rest = page.decode().partition(start)
    return json.loads(rest.partition("</script>")[0])


def _data(content: Mapping) -> Markup:
    """Write JSON that no browser can mistake for markup."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def _listed(values: Iterable) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} and {last}" if others else last


def _cell(content: str | int | None) -> Markup:
    """Write a cell of a table, with the half-width of an interval in small letters."""
    value, sign, rest = ("" if content is None else str(content)).partition(" ± ")
    return Markup("{} <small>± {}</small>").format(value, rest) if sign else escape(value)


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.3f}"


def _half_width(value: float | None) -> str:
    return _UNKNOWN if value is None else half_width_text(value)


def _signed(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _percent(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{100 * value:.1f}%"
