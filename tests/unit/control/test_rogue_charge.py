"""Nothing feeds a rectifier that charges unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gridzero.control.rogue_charge import RogueCharge
from gridzero.domain.readings import CurrentReading
from gridzero.domain.snapshot import Snapshot

House = Callable[..., Snapshot]


def test_a_rectifier_that_charges_unseen_behind_the_inverter_is_found(house: House) -> None:
    watch, now = RogueCharge(), house()
    silent = (replace(now.chargers[0], silent=True),)
    inverter_a = 860.0 / (44.4 * 0.9)
    honest = replace(now, chargers=silent, shunt=CurrentReading(now.now_s, inverter_a))
    assert not watch.update(honest, 860.0)
    hidden = replace(now, chargers=silent, shunt=CurrentReading(now.now_s, inverter_a - 8.0))
    assert watch.update(hidden, 860.0)
    later = replace(honest, now_s=now.now_s + 9.0, shunt=CurrentReading(now.now_s + 9.0, 0.0))
    assert watch.update(later, 0.0), "it rests before it looks again"
