"""``!secret NAME`` and ``!env NAME``: values that do not belong into the configuration file."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path as FilePath

from gridzero.config.document import Document
from gridzero.config.files import read_text
from gridzero.config.problems import TOP, ConfigErrors, Notes, Path, Place
from gridzero.config.yaml_lines import Tag, parse

SECRETS_FILE = "secrets.yaml"


class SecretValues:
    """Looks names up, in the secrets file beside the configuration and in the environment."""

    def __init__(self, folder: FilePath, environ: Mapping[str, str], notes: Notes) -> None:
        self._file = folder / SECRETS_FILE
        self._environ = environ
        self._notes = notes

    def tags(self) -> dict[str, Tag]:
        """For yaml_lines.parse."""
        return {"!secret": self._secret, "!env": self._variable}

    def _secret(self, name: str, place: Place, path: Path) -> str | None:
        if name in self._secrets:
            return self._hide(self._secrets[name])
        near = difflib.get_close_matches(name, self._secrets, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        what = f"there is no secret named {name!r}"
        self._notes.tell(place, path, what, f"{hint}Add the line '{name}: ...' to {self._file}")
        return None

    def _variable(self, name: str, place: Place, path: Path) -> str | None:
        if name in self._environ:
            return self._hide(self._environ[name])
        what = f"the environment has no variable {name!r}"
        self._notes.tell(place, path, what, "Set it where gridzero is started")
        return None

    def _hide(self, value: str) -> str:
        self._notes.hidden.add(value)
        return value

    @cached_property
    def _secrets(self) -> dict[str, str]:
        notes = Notes(str(self._file))
        try:
            document = parse(read_text(self._file), notes, as_text=True)
        except ConfigErrors as errors:
            self._notes.problems.extend(errors.problems)
            return {}
        secrets = _plain(document, notes)
        self._warn_if_open(notes)
        self._notes.problems.extend(notes.problems)
        self._notes.warnings.extend(notes.warnings)
        return secrets

    def _warn_if_open(self, notes: Notes) -> None:
        if self._file.stat().st_mode & stat.S_IROTH:
            what = "every user of this machine can read the secrets"
            notes.warn(TOP, (), what, f"Run: chmod 600 {self._file}")


def _plain(document: Document, notes: Notes) -> dict[str, str]:
    """The names that have a text as value."""
    if not isinstance(document.value, dict):
        notes.tell(TOP, (), "the secrets file has no names", "Write lines such as 'name: value'")
        return {}
    for name, value in document.value.items():
        if not isinstance(value, str):
            place = document.place((name,))
            notes.tell(place, (name,), "a secret must be one text", "Write it as 'name: value'")
    return {name: value for name, value in document.value.items() if isinstance(value, str)}
