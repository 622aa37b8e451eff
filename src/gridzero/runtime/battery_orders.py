"""What a person may tell gridzero about the battery. Nothing here lifts a limit of it."""

from __future__ import annotations

from gridzero.runtime.setting_values import SettingRefused
from gridzero.runtime.site import Site

_RESTS_A = 3.0
_FRESH_S = 2.0


class BatteryOrders:
    """Carries out actions; each returns what was done, or raises SettingRefused."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def soc_from_voltage(self, _argument: str) -> str:
        """Forget what was counted."""
        self._site.battery.begin_from_voltage()
        return "the state of charge begins anew from the voltage of the cells"

    def soc_full(self, _argument: str) -> str:
        """Believe that the battery is full."""
        _refuse("soc_full", self._site.battery.take_for_full())
        return "the battery counts as full"

    def clear_full(self, _argument: str) -> str:
        """Do not wait until cells have come down."""
        _refuse("clear_full", self._site.battery.charge_again())
        return "the battery may be charged again; its cells still decide how much"

    def flip_shunt(self, _argument: str) -> str:
        """Only while nothing flows: then no limit changes its mind under load."""
        _refuse("flip_shunt", self._why_not_flip())
        is_flipped = not self._site.settings.wanted.shunt_flipped
        self._site.settings.change(shunt_flipped=is_flipped)
        self._site.battery.shunt_was_turned()
        return "the shunt counts the other way round" if is_flipped else "the shunt counts as wired"

    def _why_not_flip(self) -> str | None:
        if self._site.parts.shunt is None:
            return "there is no shunt"
        if self._site.last is None:
            return "gridzero is starting"
        now, decision = self._site.last
        if now.shunt is None or not now.shunt_age_s <= _FRESH_S:
            return "the shunt does not speak"
        if any(power_w > 0.0 for power_w in decision.units.values()):
            return "a converter works: choose mode hold first"
        if not abs(now.shunt.current_a) <= _RESTS_A:
            return f"{now.shunt.current_a:.1f} A flow"
        return None


def _refuse(where: str, why: str | None) -> None:
    if why is not None:
        raise SettingRefused(why, where=where, remedy="Nothing was changed")
