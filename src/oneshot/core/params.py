"""The parameters: params.yaml read into a typed, validated object for one stage.

Each stage script has a `Params` schema (a subclass of `Schema`) that names exactly the parameters the stage reads;
dvc.yaml lists the same ones, a whole group by its name. Before any work, `load` checks all of params.yaml against the
schemas of all stages, so that a mistake in a late stage's parameter is reported before an hour of training, not after.
"""

import difflib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeGuard, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML, AliasEvent
from ruamel.yaml.error import YAMLError

from oneshot.core.errors import UserError


class Schema(BaseModel):
    """Base of every parameter group: strict types, no unknown keys, no change after loading.

    An int is accepted as a float and converted, so that `2` and `2.0` are the same run.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


# Old names of parameters and of groups, for whoever has them in a file.
RENAMED = {
    "convnet.epochs": "convnet.resolution_schedule",
    "convnet.norm_penalty": "convnet.feature_norm_penalty",
    "convnet.cell_loss": "convnet.dense_classification_loss",
    "convnet.recipe.offset_rate": "convnet.recipe.bias_rate_multiple",
    "convnet.recipe.weight_penalty": "convnet.recipe.l2_penalty",
    "convnet.recipe.whitening": "convnet.recipe.whitening_filters",
}

Seed = Annotated[int, Field(ge=0, lt=2**63)]

T = TypeVar("T", bound=Schema)


def load(schema: type[T], root: str | Path = ".") -> T:
    """Load the parameters of one stage; raises UserError naming the key and the rule that it breaks.

    schema: the stage's Params; root: the folder of params.yaml and stages/.
    """
    tree = read(root)
    schemas = stage_schemas(root)
    check(tree, schemas)
    return validate(tree, schema)


def read(root: str | Path = ".") -> dict:
    """Read params.yaml as nested dicts; raises UserError if it is missing or is not a YAML mapping.

    It uses DVC's parser, so that both see the same values (YAML 1.2: `1e-4` is a number, `yes` is text).
    """
    path = Path(root) / "params.yaml"
    parser = YAML(typ="safe", pure=True)
    try:
        text = path.read_text(encoding="utf-8")
        tree = parser.load(text)
        # A few aliases of aliases can stand for more values than anyone can walk through, or for a mapping in itself.
        if any(isinstance(event, AliasEvent) for event in parser.parse(text)):
            raise UserError(f"{path} has an alias (*name): write the value out instead")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run from the project's root, or git checkout {path.name}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path} must hold keys and values, such as 'margin: 1.0'")
    return tree


def check(tree: dict, schemas: dict[str, type[Schema]]) -> None:
    """Check that some stage reads each leaf and that all values are valid; raises UserError for the first mistake."""
    known = sorted({leaf for schema in schemas.values() for leaf in leaves(schema)})
    for key in _keys(tree):
        if key not in known and not any(leaf.startswith(f"{key}.") for leaf in known):
            renamed = next((new for old, new in RENAMED.items() if f"{key}.".startswith(f"{old}.")), None)
            if renamed:
                raise UserError(f"params.yaml: no stage reads the parameter {key}; its name is now {renamed}")
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; the known ones are {', '.join(known)}"
            raise UserError(f"params.yaml: no stage reads the parameter {' '.join(key.split())}{hint}")
    for schema in schemas.values():
        validate(tree, schema)


def validate(tree: dict, schema: type[T]) -> T:
    """Validate the leaves of one schema, ignoring other stages' leaves; raises UserError naming key and rule."""
    try:
        return schema.model_validate(_chosen(tree, schema))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        place = f"params.yaml: {key}" if key else "params.yaml"
        # A rule about several keys names them itself; the whole group would say nothing.
        several = first["type"] == "value_error" and isinstance(first["input"], dict)
        given = "" if first["type"] == "missing" or not key or several else f", but is {first['input']!r}"
        rule = first["msg"].removeprefix("Value error, ")
        rule = rule.replace("Field required", "is missing").replace("Input should", "should")
        raise UserError(f"{place}: {rule}{given}") from None


def leaves(schema: type[Schema]) -> Iterator[str]:
    """Yield the dotted name of every leaf of a schema, in its order."""
    for name, field in schema.model_fields.items():
        if _is_group(field.annotation):
            yield from (f"{name}.{leaf}" for leaf in leaves(field.annotation))
        else:
            yield name


def stage_schemas(root: str | Path = ".") -> dict[str, type[Schema]]:
    """Import each script of stages/ and return its Params by the script's name; raises UserError for one without.

    Files whose names start with a dot, such as an editor's lock, are no scripts.
    """
    schemas = {}
    for path in sorted((Path(root) / "stages").glob("[!.]*.py")):
        spec = importlib.util.spec_from_file_location(f"stages_{path.stem}", path)
        assert spec and spec.loader  # None only for an unknown suffix
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if not _is_group(getattr(module, "Params", None)):
            raise UserError(f"{path} is no stage: it has no class Params(Schema) with the parameters that it reads")
        schemas[path.stem] = module.Params
    return schemas


def _is_group(annotation) -> TypeGuard[type[Schema]]:
    return isinstance(annotation, type) and issubclass(annotation, Schema)


def _chosen(tree, schema: type[Schema]):
    if not isinstance(tree, dict):
        return tree
    return {
        name: _chosen(tree[name], field.annotation) if _is_group(field.annotation) else tree[name]
        for name, field in schema.model_fields.items()
        if name in tree
    }


def _keys(tree: dict, prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        group, _, rest = str(name).partition(".")
        if rest:
            raise UserError(f"params.yaml: the key {name} has a dot: write {rest} indented below {group}:")
        if isinstance(value, dict) and value:
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
