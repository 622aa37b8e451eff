"""``reload``: the configuration file is read again while gridzero runs.

A file is checked wholly, by a thread, before anything is changed; then all that can change is
changed between two ticks. Beside that: which configuration runs, whether it has proved itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from gridzero.app import App
from gridzero.children import Beside
from gridzero.config.files import read_text
from gridzero.config.live import Change, changes, split, taken
from gridzero.config.models import Config
from gridzero.configured.checked import Checked, check_settled
from gridzero.configured.rollback import Chosen, with_loaded
from gridzero.errors import ConfigError
from gridzero.plugins import Found
from gridzero.runtime.config_keep import shown_fingerprint, utc_now
from gridzero.runtime.heartbeat import Heartbeat
from gridzero.runtime.settings import SettingRefused

log = structlog.get_logger()

TRIAL_S = 300.0
"""A configuration has proved itself when it has run so long and commands leave."""

PAUSE_S = 1.5
"""Between two readings; an answer comes within the three seconds that faces wait for it."""

LOOK_S = 20.0
_MOST_SAID = 8
_MOST_ERRORS = 3
_WHOLE = "gridzero"
_ROLLED_BACK, _RESTS = "config_rolled_back", "limits_rolled_back"


Elsewhere = Callable[..., Awaitable[Any]]


class Reloader:
    """Owns which configuration runs. ``ask`` carries out the order reload."""

    def __init__(
        self,
        chosen: Chosen,
        found: Found,
        app: App,
        beside: Beside | None,
        elsewhere: Elsewhere = asyncio.to_thread,
    ) -> None:
        """elsewhere: calls what blocks."""
        self._elsewhere = elsewhere
        self._chosen, self._found, self._app, self._beside = chosen, found, app, beside
        self._runs: Config = chosen.loaded.config
        self._shown: Config = self._runs  # what the processes beside control go by
        self._waiting: tuple[Change, ...] = ()
        self._loaded_utc = utc_now()
        self._differs: bool | None = chosen.rolled_back is not None
        self._turn, self._next_s = asyncio.Lock(), float("-inf")
        self._accepting: asyncio.Future[None] | None = None
        self._begin_trial()
        self._heartbeat = Heartbeat(app.clock, lambda: app.site.ticked_s, app.senders)
        app.orders.can_slowly("reload", self.ask)
        app.output.tell_config(self.told)
        app.faults.on_acknowledge(self._on_acknowledge)
        self._tell_rollback()

    async def ask(self, _value: str = "") -> str:
        """Read the file again. Raises SettingRefused where nothing was changed, with the reason."""
        if self._turn.locked():
            raise SettingRefused("it is being read", where="reload", remedy="Wait for the answer")
        async with self._turn:
            await self._pause()
            try:
                checked = await self._elsewhere(check_settled, self._file, self._found)
                rules = self._app.retuner.rules(checked.loaded.config)
            except ConfigError as error:
                raise _refusal(self._file, error) from None
            parts = split(changes(self._runs, checked.loaded.config))
            runs = taken(self._runs, checked.loaded.config, parts)
            # from here on nothing can fail, and no tick comes between
            self._app.retuner.take(self._runs, runs, rules)
            self._runs, self._waiting = runs, parts.waiting
            self._renew_beside(checked)
            if not parts.waiting:
                self._take_whole(checked)
            self._differs = bool(parts.waiting)
        said = self._said(parts.now, parts.waiting)
        await self._elsewhere(self._chosen.keep.say_running, self.told())
        return said

    async def _pause(self) -> None:
        """Whoever asks without end must not keep a thread busy, and fill history and disk."""
        now_s = self._app.clock.now_s()
        begins_s = max(now_s, self._next_s)
        self._next_s = begins_s + PAUSE_S
        await self._app.clock.sleep_s(begins_s - now_s)

    @property
    def _file(self) -> Path:
        return self._chosen.file

    def told(self) -> dict[str, Any]:
        """JSON-ready; ``gridzero/config``."""
        rollback = self._chosen.rolled_back
        return {
            "file": str(self._file),
            "fingerprint": shown_fingerprint(self._chosen.text),
            "loaded_utc": self._loaded_utc,
            "file_differs": self._differs,
            "waits": [change.key for change in self._waiting],
            "rolled_back": str(rollback) if rollback is not None else None,
            "is_good": self._is_good,
            "not_kept": self._chosen.keep.trouble or None,
        }

    async def run(self) -> None:
        """Look at the file and at the trial now and then, until cancelled."""
        keep = self._chosen.keep
        good = await self._elsewhere(keep.good)
        self._is_good = good is not None and good.text == self._chosen.text
        while True:
            await self._elsewhere(keep.say_running, self.told())
            await self._app.clock.sleep_s(LOOK_S)
            await self._look_at_file()
            await self._end_trial()

    def _begin_trial(self) -> None:
        self._is_good, self._since_s = False, self._app.clock.now_s()

    async def _look_at_file(self) -> None:
        text = await self._elsewhere(_text_of, self._file)
        if not self._turn.locked():
            self._differs = None if text is None else text != self._chosen.text

    async def _end_trial(self) -> None:
        """Keep what has proved itself: it ran for minutes, and commands left to each converter.

        A house whose cable is pulled proves nothing: neither for the file nor against it.
        """
        ran_s = self._app.clock.now_s() - self._since_s
        if self._is_good or ran_s < TRIAL_S or self._waiting or self._heartbeat.missing():
            return
        text = self._chosen.text
        is_kept = await self._elsewhere(self._chosen.keep.save_good, text)
        if is_kept and text == self._chosen.text:
            self._is_good = True
            log.info("config.proved", fingerprint=shown_fingerprint(text))

    def _renew_beside(self, checked: Checked) -> None:
        """Processes beside control read the whole file: they wait where it does."""
        new = checked.loaded.config
        names = split(changes(self._shown, new)).beside
        if not all(change.row.is_live for change in self._waiting):
            return
        self._shown = new
        if self._beside is not None and names:
            self._beside.renew(names, new, checked.text)

    def _take_whole(self, checked: Checked) -> None:
        """The file is what runs now."""
        if checked.text != self._chosen.text:
            self._begin_trial()
        self._runs = checked.loaded.config
        self._chosen = with_loaded(self._chosen, checked.text, checked.loaded)
        self._loaded_utc = utc_now()
        self._tell_rollback()

    def _said(self, now: Iterable[Change], waiting: Iterable[Change]) -> str:
        done, left = _listed(now), _listed(waiting)
        text = f"taken: {done}" if done else "nothing to change now" if left else "nothing differs"
        if left:
            text += f"; waits for a restart: {left}"
        self._app.faults.tell("config_reloaded", _WHOLE, text)
        self._app.output.publish_config()
        return text

    def _tell_rollback(self) -> None:
        """Stands while another one runs; the second waits for a person."""
        rollback, faults = self._chosen.rolled_back, self._app.faults
        if rollback is None:
            faults.set(_ROLLED_BACK, _WHOLE, None)
            if faults.stands(_RESTS):  # the file that runs is the person's own again
                faults.acknowledge(_RESTS)
            return
        faults.set(_ROLLED_BACK, _WHOLE, str(rollback))
        if rollback.rests:
            faults.set(_RESTS, _WHOLE, str(rollback))
            faults.set(_RESTS, _WHOLE, None)  # a latch: now it waits to be acknowledged

    def _on_acknowledge(self, key: tuple[str, str]) -> None:
        if key[0] == _RESTS and self._chosen.rolled_back is not None:
            self._accepting = asyncio.ensure_future(self._elsewhere(self._chosen.accept))


def _listed(changes: Iterable[Change]) -> str:
    words = [change.words for change in changes]
    more = len(words) - _MOST_SAID
    return ", ".join(words[:_MOST_SAID]) + (f" and {more} more" if more > 0 else "")


def _text_of(file: Path) -> str | None:
    try:
        return read_text(file)
    except ConfigError:
        return None


def _refusal(file: Path, error: ConfigError) -> SettingRefused:
    """The first few things that are wrong; nothing was changed."""
    lines = str(error).splitlines()
    more = len(lines) - _MOST_ERRORS
    text = " | ".join(line.removeprefix(f"{file}:") for line in lines[:_MOST_ERRORS])
    what = f"nothing was changed, the file is wrong: {text.rstrip('.')}"
    remedy = f"{f'{more} more: ' if more > 0 else ''}gridzero check {file}"
    return SettingRefused(what, where=str(file), remedy=remedy)
