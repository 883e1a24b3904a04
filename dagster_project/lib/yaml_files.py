"""YAML files that people write: read exactly, merged over defaults, refused in one clear line.

PyYAML reads numbers as binary floats, `NO` and `on` as booleans, `010` as eight, and takes the last
of two equal keys in silence. Cut points must not be read so, and no library at hand does otherwise.
"""

import difflib
import re
from collections.abc import Collection, Hashable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError


class YamlFileError(ValueError):
    """A YAML file cannot be used; the text names what is wrong and the remedy, not yet the file."""


class _ExactLoader(yaml.SafeLoader):
    """Numbers as `int` and `Decimal`, only true and false as booleans, no repeated keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                line = key_node.start_mark.line + 1
                raise YamlFileError(f"line {line}: {key} stands twice; keep one of the two")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_decimal(self, node: yaml.ScalarNode) -> Decimal:
        return Decimal(str(self.construct_scalar(node)))


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        "-+0123456789.",
    ),
    ("timestamp", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "0123456789"),
    ("merge", r"^<<$", "<"),
):
    _ExactLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(_pattern),
        ["", *_first] if _tag == "null" else list(_first),
    )
_ExactLoader.add_constructor("tag:yaml.org,2002:float", _ExactLoader.construct_decimal)


def read_mapping(path: Path) -> dict[str, Any]:
    """The file's top-level mapping; an empty file is an empty mapping.

    Raises:
        YamlFileError: the file is missing, unreadable, not UTF-8, not YAML, or not a mapping.
    """
    text = _text(path)
    try:
        document = yaml.load(text, Loader=_ExactLoader)
    except YamlFileError:
        raise
    except yaml.YAMLError as error:
        raise YamlFileError(_syntax_problem(error)) from None
    except RecursionError:
        raise YamlFileError("nested too deeply; a settings file has a few levels") from None
    except ValueError as error:
        raise YamlFileError(f"{error}; correct the value") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise YamlFileError("the file must be a list of `key: value` lines")
    return document


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise YamlFileError("there is no such file; check the path") from None
    except IsADirectoryError:
        raise YamlFileError("this is a folder; name a YAML file") from None
    except UnicodeDecodeError as error:
        raise YamlFileError(f"byte {error.start + 1} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise YamlFileError(f"cannot be read ({error.strerror}); check its permissions") from None


def merged(
    base: Mapping[str, Any], over: Mapping[str, Any], whole: Collection[str]
) -> dict[str, Any]:
    """`base` with what `over` names; mappings key by key, but the keys in `whole` replaced as one.

    A section that is named and left empty stays as in `base`.
    """
    result = dict(base)
    for key, value in over.items():
        below = base.get(key)
        if isinstance(below, Mapping) and value is None:
            continue
        if isinstance(below, Mapping) and isinstance(value, Mapping) and key not in whole:
            result[key] = merged(below, value, whole)
        else:
            result[key] = value
    return result


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """`key.path: what is wrong; remedy` for the first error, unknown keys before all else."""
    problems = sorted(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    found = problems[0]
    location = [str(part) for part in found["loc"] if part != "[key]"]
    path = ".".join(location)
    if found["type"] == "extra_forbidden":
        return f"{path}: unknown key; {_known_keys(model, location)}"
    return f"{path}: {_said(found)}" if path else _said(found)


def _said(found: Any) -> str:
    kind, context = found["type"], found.get("ctx", {})
    shown = _shown(found["input"])
    bounds = {
        "greater_than": "greater than {gt}",
        "greater_than_equal": "{ge} or more",
        "less_than": "less than {lt}",
        "less_than_equal": "{le} or less",
        "decimal_max_places": "a number of at most {decimal_places} decimals",
        "string_too_short": "a name, not empty",
        "string_too_long": "at most {max_length} characters long",
        "literal_error": "{expected}",
    }
    kinds = {
        "int": "a whole number",
        "decimal": "a number, such as 0.80",
        "finite": "a number, such as 0.80",
        "bool": "true or false",
        "string": "a word",
        "dict": "a list of `key: value` lines",
        "model": "a list of `key: value` lines",
        "date": "a date YYYY-MM-DD",
        "path": "a path",
    }
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "missing; add it"
    if kind in bounds:
        return f"{shown} must be {bounds[kind].format(**context)}; correct the value"
    wanted = kinds.get(kind.split("_")[0])
    if wanted is not None:
        return f"{shown} must be {wanted}; correct the value"
    return f"{shown}: {found['msg']}; correct the value"


def _shown(value: object) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _known_keys(model: type[BaseModel], location: list[str]) -> str:
    """The nearest known key beside the last part of `location`, or all of them."""
    here: Any = model
    for part in location[:-1]:
        if isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = here.model_fields[part].annotation
        elif get_args(here):
            here = get_args(here)[-1]
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return "remove it"
    names = list(here.model_fields)
    near = difflib.get_close_matches(location[-1].lower(), names, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(names)}"


def _syntax_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or "not YAML"
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{where}{said}; correct the YAML (spaces for indentation, `key: value`)"
