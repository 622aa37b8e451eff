"""In what two files are written differently; for those that cannot be loaded."""

from __future__ import annotations

from collections.abc import Iterator

from gridzero.config.problems import ConfigErrors, Notes
from gridzero.config.yaml_lines import Tag, parse

_ABSENT = object()


def written_differences(old: str, new: str) -> tuple[str, ...] | None:
    """Keys at which two files are written differently; None where one is no readable YAML.

    For a file that cannot be loaded: nothing is looked up, and what it means is not asked.
    """
    before, after = _written(old), _written(new)
    if before is None or after is None:
        return None
    keys = dict.fromkeys((*before, *after))
    return tuple(k for k in keys if before.get(k, _ABSENT) != after.get(k, _ABSENT))


def _written(text: str) -> dict[str, object] | None:
    notes = Notes("")
    tags: dict[str, Tag] = {tag: _name_of(tag) for tag in ("!secret", "!env")}
    try:
        value = parse(text, notes, tags, as_text=True).value
    except ConfigErrors:
        return None
    if notes.problems or not isinstance(value, dict):
        return None
    return dict(_flat(value, ""))


def _name_of(tag: str) -> Tag:
    return lambda name, _place, _path: f"{tag} {name}"


def _flat(value: object, above: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        if above:
            yield above, True
        for name, below in value.items():
            yield from _flat(below, f"{above}.{name}" if above else name)
    else:
        yield above, value
