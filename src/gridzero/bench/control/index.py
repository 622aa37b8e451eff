"""How much of an ideal battery's saving is left, and what takes the rest (control notes, D.4).

    index = (cost without - cost) / (cost without - cost of an ideal battery)

of the household's net load, so without crediting the battery for the sun itself. The ideal
battery has the same capacity and power, no losses, no standby, and no delay.

Assumptions, all in Assumed: 8 kWh that begin half full and are priced at the end, 30 and 8 ct, a
loss of a*p**2 + b*p + c per direction (the shape of FZJ-IEK3-VSA/bslib). The inverter's b follows
from 0.96 / (1 / 0.89) (soyosource notes, 3.2), the rectifier's from 96 % (vertiv-r48 notes, 2.7);
c and the standby are guesses until they are measured.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.plants import PlantRow
from gridzero.domain.value import REFERENCE

_HOURS = STEP_S / 3600.0


class Loss(NamedTuple):
    """a, 1/W; b, 1; c, W: lost on the battery's side at p W AC."""

    a: float
    b: float
    c: float


_NO_LOSS = Loss(0.0, 0.0, 0.0)
_SOYOSOURCE = Loss(0.0, 0.17, 6.0)
_R48 = Loss(0.0, 0.04, 12.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """stored_ct: price of a kWh that is left at the end, or missing."""

    capacity_wh: float = 8000.0
    full_at_start: float = 0.5
    import_ct: float = REFERENCE.import_ct
    export_ct: float = REFERENCE.export_ct
    stored_ct: float = 19.0
    discharge: Loss = _SOYOSOURCE
    charge: Loss = _R48
    standby_w: float = 9.0


@dataclass(frozen=True, slots=True)
class Shares:
    """Indices, 1 = ideal; what each is lowered by alone.

    full: everything. control: delay, ramps, limits of the law. conversion: losses of the
    converters. standby: what is drawn day and night. None: an ideal battery would save next to
    nothing on this trace.
    """

    full: float | None
    control: float | None
    conversion: float | None
    standby: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Plain values, for json.dumps."""
        return {k: None if v is None else float(f"{v:.4g}") for k, v in asdict(self).items()}


UNKNOWN = Shares(None, None, None, None)


class Index:
    """Prepared for one plant and net load, so that many laws can be compared."""

    def __init__(
        self, plant: PlantRow, net_load_w: Sequence[float], assumed: Assumed | None = None
    ) -> None:
        self._assumed = assumed or Assumed()
        self._net_load_w = net_load_w
        most_w, least_w = plant.discharge_w, -plant.charge_w
        ideal_w = array("d", [max(least_w, min(most_w, load_w)) for load_w in net_load_w])
        nothing_w = array("d", bytes(8 * len(net_load_w)))
        self._without_ct = self._cost(nothing_w)
        self._saved_ct = self._without_ct - self._cost(ideal_w)
        self._conversion = self._index(self._cost(ideal_w, lossy=True))
        self._standby = self._index(self._cost(ideal_w, standby=True))

    def shares(self, battery_w: Sequence[float]) -> Shares:
        """The indices of a law's output."""
        control = self._index(self._cost(battery_w))
        full = self._index(self._cost(battery_w, lossy=True, standby=True))
        return Shares(full, control, self._conversion, self._standby)

    def _index(self, cost_ct: float) -> float | None:
        hours = len(self._net_load_w) * _HOURS
        if self._saved_ct < 0.1 * hours:
            return None
        return (self._without_ct - cost_ct) / self._saved_ct

    def _cost(
        self, battery_w: Sequence[float], *, lossy: bool = False, standby: bool = False
    ) -> float:
        """Cents, with what the battery holds more or less at the end."""
        assumed = self._assumed
        discharge, charge = (assumed.discharge, assumed.charge) if lossy else (_NO_LOSS, _NO_LOSS)
        rest_w = assumed.standby_w if standby else 0.0
        room_wh = assumed.capacity_wh
        start_wh = held_wh = room_wh * assumed.full_at_start
        bought_w = sold_w = 0.0
        for load_w, power_w in zip(self._net_load_w, battery_w, strict=True):
            moved_w = power_w
            if power_w > 0.0:
                moved_w += (discharge.a * power_w + discharge.b) * power_w + discharge.c
            elif power_w < 0.0:
                moved_w += (charge.b - charge.a * power_w) * -power_w + charge.c
            left_wh = held_wh - moved_w * _HOURS
            if 0.0 <= left_wh <= room_wh:
                held_wh, grid_w = left_wh, load_w - power_w + rest_w
            else:
                grid_w = load_w + rest_w
            if grid_w > 0.0:
                bought_w += grid_w
            else:
                sold_w -= grid_w
        kwh = _HOURS / 1000.0
        bought_ct = (bought_w * assumed.import_ct - sold_w * assumed.export_ct) * kwh
        return bought_ct - (held_wh - start_wh) / 1000.0 * assumed.stored_ct
