"""Notices what is wrong on one bus and tells it once per change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from gridzero.ports.plugin import Report
from gridzero_drivers.vw_gte.balancing import BleedOrder, Mismatch, cells_text
from gridzero_drivers.vw_gte.module import Module

log = structlog.get_logger()

SILENCE_S: Final = 5.0
STRANGER_S: Final = 30.0
FROZEN_REPEATS: Final = 120


class BusWatch:
    """Silence, modules that do not belong, and modules that bleed what they should not."""

    def __init__(
        self,
        key: str,
        link: str,
        modules: Sequence[Module],
        orders: Mapping[str, BleedOrder],
        report: Report,
        now_s: float,
    ) -> None:
        self._key = key
        self._link = link
        self._modules = modules
        self._heard_s = dict.fromkeys(modules, now_s)
        self._report = report
        self._strangers: dict[int, float] = {}
        # MEB status bits are too unsure to accuse anybody
        self._balanced = [
            (module, orders[module.name], Mismatch())
            for module in modules
            if module.name in orders and module.member.variant != "meb"
        ]
        self._active: set[tuple[str, str]] = set()
        self._frozen: set[str] = set()

    def stranger(self, number: int, now_s: float) -> None:
        """A module that is not configured sent voltages."""
        if number not in self._strangers:
            text = f"module {number} answers on link {self._link} and is not configured"
            self._say("unexpected_module", f"{self._key}{number}", text)
        self._strangers[number] = now_s

    def check(self, now_s: float, heard_at_s: float) -> bool:
        """Look at everything that time changes; True when a silent bus is heard again."""
        self._check_strangers(now_s)
        for module, order, mismatch in self._balanced:
            self._check_bleeding(module, order, mismatch)
        for module in self._modules:
            self._check_repeats(module)
            if module.forget_old_status(now_s):
                self._unsay("bleed_mismatch", module.name)
        return self._is_back(now_s - heard_at_s)

    def returned(self) -> list[str]:
        """Names of the modules that are heard again after a silence of their own, once."""
        names = []
        for module, before_s in self._heard_s.items():
            heard_s = module.heard_at_s
            if heard_s is not None and heard_s > before_s:
                self._heard_s[module] = heard_s
                if heard_s - before_s > SILENCE_S:
                    names.append(module.name)
        return names

    def _is_back(self, silent_s: float) -> bool:
        if silent_s <= SILENCE_S:
            return self._unsay("bus_silent", self._key)
        text = f"no frame from any module on link {self._link} for {SILENCE_S:g} s"
        self._say("bus_silent", self._key, text)
        return False

    def _check_strangers(self, now_s: float) -> None:
        for number, at_s in list(self._strangers.items()):
            if now_s - at_s > STRANGER_S:
                del self._strangers[number]
                self._unsay("unexpected_module", f"{self._key}{number}")

    def _check_bleeding(self, module: Module, order: BleedOrder, mismatch: Mismatch) -> None:
        """Only a new status says something."""
        at_s = module.status_at_s
        if at_s is None or at_s == mismatch.at_s:
            return
        if mismatch.is_lasting(order.sent, module.bleeding, at_s):
            text = (
                f"asked to bleed cells {cells_text(order.sent)}, "
                f"bleeds cells {cells_text(module.bleeding)}"
            )
            self._say("bleed_mismatch", module.name, text)
        elif order.sent == module.bleeding:
            self._unsay("bleed_mismatch", module.name)

    def _check_repeats(self, module: Module) -> None:
        """A slave whose counter stands still may be hung; not proven enough to be a fault."""
        is_frozen = module.repeats >= FROZEN_REPEATS
        if is_frozen and module.name not in self._frozen:
            self._frozen.add(module.name)
            log.warning("module.unchanging", module=module.name, repeats=module.repeats)
        elif not is_frozen:
            self._frozen.discard(module.name)

    def _say(self, code: str, subject: str, text: str) -> None:
        if (code, subject) not in self._active:
            self._active.add((code, subject))
            self._report(code, active=True, text=text, subject=subject)

    def _unsay(self, code: str, subject: str) -> bool:
        if (code, subject) not in self._active:
            return False
        self._active.remove((code, subject))
        self._report(code, active=False, subject=subject)
        return True
