"""Which configuration a process starts with: that of the file, or the last good one instead.

Why it is decided like this: docs/decisions/0013-rollback.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gridzero.config.files import read_text, real_path
from gridzero.config.live import are_harmless
from gridzero.config.loader import Loaded, load_text
from gridzero.config.written import written_differences
from gridzero.configured.checked import check_text
from gridzero.errors import ConfigError
from gridzero.plugins import Found
from gridzero.runtime.config_keep import ConfigKeep, Good
from gridzero.runtime.exit_codes import ExitCode

MOST_STARTS = 3
"""So often a configuration on trial may be started without an orderly end or proving itself."""

_STATE_DIR = re.compile(
    r"""^[^#\n]*?\bstate_dir["']?:[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^#\s,}!]+))""", re.MULTILINE
)
_DEFAULT_STATE_DIR = "state"
_GIVEN_BY_SYSTEMD = "STATE_DIRECTORY"
_LONGEST_WHY = 300
_MOST_KEYS = 8


@dataclass(frozen=True, slots=True)
class Rollback:
    """Why another configuration runs than that of the file.

    good_utc: when the one that runs proved itself. differs: keys that are written differently,
    None = nobody can say. rests: no power until a person agrees, because what differs may have
    been meant to make it safer.
    """

    why: str
    good_utc: str
    differs: tuple[str, ...] | None
    rests: bool

    def __str__(self) -> str:
        return (
            f"the configuration of {self.good_utc} runs instead of the file: {self.why}. "
            f"{self._differences()}"
        )

    def _differences(self) -> str:
        if self.differs is None:
            return "What differs cannot be said: the file is no readable YAML"
        keys, more = self.differs[:_MOST_KEYS], len(self.differs) - _MOST_KEYS
        return f"They differ in {', '.join(keys)}{f' and {more} more' if more > 0 else ''}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a process starts with.

    text: of the configuration that runs. refused: the text of the file where another one runs.
    on_trial: it may still turn out not to work, and there is one to go back to.
    """

    file: Path
    text: str
    loaded: Loaded
    keep: ConfigKeep
    on_trial: bool = False
    rolled_back: Rollback | None = None
    refused: str = ""

    def begin(self) -> None:
        """Count this start, before anything that may crash. Call with the state folder locked."""
        if self.on_trial:
            self._note(self.text, starts=self.keep.probation(self.text).starts + 1)

    def ended(self, code: ExitCode) -> None:
        """An orderly end is no failure; whoever asks for a restart wants the file tried again."""
        if self.on_trial and code in {ExitCode.ASKED, ExitCode.AGAIN}:
            self._note(self.text, starts=0)
        if self.rolled_back is not None and code is ExitCode.AGAIN:
            self._note(self.refused, starts=0)

    def accept(self) -> None:
        """A person agrees that this one runs instead of what the file holds."""
        self._note(self.refused, is_accepted=True)

    def _note(self, text: str, **news: Any) -> None:
        """Change what is remembered of a text; the rest of it stays."""
        self.keep.note(text, self.keep.probation(text)._replace(**news))

    def without_trial(self, error: ConfigError, found: Found) -> Chosen:
        """The last good one, after this one could not even be built. Raises error without one."""
        good = self.keep.good() if self.on_trial else None
        if good is None:
            raise error
        return _back(self.file, found, self.keep, good, self.text, error)


def choose(file: Path, found: Found, *, may_roll_back: bool = True) -> Chosen:
    """Read the file, and decide. Raises ConfigError when there is nothing to start with."""
    text = ""
    try:
        text = read_text(file)
        loaded = load_text(text, file, found.plugins, broken=found.reasons)
    except ConfigError as error:
        keep = _likely_keep(text, file)
        good = keep.good() if may_roll_back else None
        if good is None:
            raise
        return _back(file, found, keep, good, text, error)
    keep = ConfigKeep(Path(loaded.config.site.state_dir), file)
    good = keep.good() if may_roll_back else None
    if good is None or good.text == text:
        return Chosen(file, text, loaded, keep)
    return _try(Chosen(file, text, loaded, keep, on_trial=True), found, good)


def _try(chosen: Chosen, found: Found, good: Good) -> Chosen:
    try:
        check_text(chosen.text, chosen.file, found)
    except ConfigError as error:
        return _back(chosen.file, found, chosen.keep, good, chosen.text, error)
    starts = chosen.keep.probation(chosen.text).starts
    if starts < MOST_STARTS:
        return chosen
    ended = ConfigError(
        f"gridzero ended {starts} times within the first minutes with it",
        where=str(chosen.file),
        remedy="See the log of those starts",
    )
    return _back(chosen.file, found, chosen.keep, good, chosen.text, ended)


def _back(
    file: Path, found: Found, keep: ConfigKeep, good: Good, refused: str, error: ConfigError
) -> Chosen:
    """Raises error where the last good one is of no use either."""
    try:
        loaded = check_text(good.text, file, found).loaded
    except ConfigError:
        raise error from None
    if real_path(Path(loaded.config.site.state_dir)) != real_path(keep.state_dir):
        raise error  # with an empty state folder, faults and modes of this house would be forgotten
    differs = written_differences(good.text, refused)
    is_accepted = keep.probation(refused).is_accepted
    rests = not is_accepted and (differs is None or not are_harmless(differs))
    rollback = Rollback(_why(error), good.utc, differs, rests)
    return Chosen(file, good.text, loaded, keep, rolled_back=rollback, refused=refused)


def _why(error: ConfigError) -> str:
    """The first thing that is wrong, and how much more there is."""
    lines = str(error).splitlines()
    more = f" (and {len(lines) - 1} more: gridzero check)" if len(lines) > 1 else ""
    return f"{lines[0].rstrip('.')[:_LONGEST_WHY]}{more}"


def _likely_keep(text: str, file: Path) -> ConfigKeep:
    """Of a file that cannot be read, and may be empty; a wrong guess finds nothing there."""
    keeps = [ConfigKeep(folder, file) for folder in _likely_state_dirs(text)]
    return next((keep for keep in keeps if keep.good() is not None), keeps[0])


def _likely_state_dirs(text: str) -> Iterator[Path]:
    found = _STATE_DIR.search(text)
    if found is not None:
        yield Path(next(filter(None, found.groups())))
    given = os.environ.get(_GIVEN_BY_SYSTEMD, "").partition(":")[0]  # systemd.exec(5)
    if given:
        yield Path(given)
    yield Path(_DEFAULT_STATE_DIR)


def with_loaded(chosen: Chosen, text: str, loaded: Loaded) -> Chosen:
    """The same after another text was taken while running: it proves itself anew."""
    return replace(chosen, text=text, loaded=loaded, rolled_back=None, refused="")
