"""A load or the sun at the ends of the battery: the limit must not follow its own current."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from gridzero.battery.limits import LimitKeeper, Ratings
from gridzero.battery.profile import VW_GTE_12S
from gridzero.battery.view import BatteryViewer
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.sim.pack import Pack, PackModel, rest_v

MODULES = {"b1": 12}
RATINGS = Ratings(max_charge_a=10.0, max_discharge_a=10.0, max_module_a=12.5)
HOUR_S, STEP_S = 3600, 2
OHM = 0.0027


def aged(times: float) -> PackModel:
    fresh = PackModel()
    return PackModel(ohmic_ohm=fresh.ohmic_ohm * times, rc_ohm=fresh.rc_ohm * times)


def readings(pack: Pack, at_s: float) -> list[ModuleReading]:
    return [
        ModuleReading(
            bus="b",
            number=int(name[1:]),
            cell_v=tuple(round(v, 3) for v in pack.cell_v(name)),
            cell_at_s=(at_s,) * 12,
            temps=(Temperature(pack.temp_c(name), pack.temp_c(name)),),
            temp_at_s=at_s,
        )
        for name in pack.modules
    ]


def estimate(pack: Pack, at_s: float) -> BatteryCharge:
    """A good estimator: what each cell would have at rest, a little wrong."""
    modules = {
        name: ModuleCharge(
            name=name,
            cells=tuple(
                CellCharge(soc, 0.02, rest_v(soc + 0.01), OHM) for soc in pack.cell_soc(name)
            ),
            current_a=pack.module_a(name),
        )
        for name in pack.modules
    }
    return BatteryCharge(
        at_s=at_s,
        soc=pack.soc + 0.01,
        sigma=0.02,
        capacity_ah=25.0,
        out_ah=1.0,
        in_ah=1.0,
        out_wh=1.0,
        in_wh=1.0,
        to_empty_s=None,
        to_full_s=None,
        is_full=False,
        is_empty=False,
        anchored_s=None,
        modules=modules,
    )


def limits_over_an_hour(
    pack: Pack, wanted_a: Callable[[int], float], *, estimated: bool
) -> list[float]:
    """The limit of the wanted direction every two seconds, after it has come up."""
    keeper, viewer = LimitKeeper(VW_GTE_12S, RATINGS), BatteryViewer(VW_GTE_12S)
    seen = []
    for second in range(0, HOUR_S, STEP_S):
        at_s = float(second)
        charge = estimate(pack, at_s) if estimated else None
        now = keeper.update(viewer.view(readings(pack, at_s), at_s), at_s, charge)
        wanted = wanted_a(second)
        pack.advance(STEP_S, max(-now.charge_a, min(now.discharge_a, wanted)))
        seen.append(now.discharge_a if wanted_a(0) > 0 else now.charge_a)
    return seen[20:]


def turns(limits: Sequence[float], band_a: float = 0.25) -> int:
    """How often the limit changes its direction by more than band_a."""
    count = direction = 0
    extreme_a = limits[0]
    for limit_a in limits:
        step = (limit_a > extreme_a) - (limit_a < extreme_a)
        if step == direction:
            extreme_a = limit_a
        elif abs(limit_a - extreme_a) > band_a:
            count += direction != 0
            extreme_a, direction = limit_a, step
    return count


@pytest.mark.parametrize(("times", "temp_c"), [(1.0, 20.0), (3.0, 6.0)])
@pytest.mark.parametrize("estimated", [True, False])
def test_a_constant_load_near_empty(times: float, temp_c: float, estimated: bool) -> None:
    pack = Pack(MODULES, soc=0.09, temp_c=temp_c, model=aged(times))
    limits = limits_over_an_hour(pack, lambda _: 9.0, estimated=estimated)
    assert turns(limits) == 0
    assert limits[0] > 1.0
    assert limits[-1] < 1.0
    assert 0.03 < pack.soc < 0.06


@pytest.mark.parametrize(("times", "temp_c"), [(1.0, 20.0), (3.0, 6.0)])
@pytest.mark.parametrize("estimated", [True, False])
def test_constant_sun_near_full(times: float, temp_c: float, estimated: bool) -> None:
    pack = Pack(MODULES, soc=0.80, temp_c=temp_c, model=aged(times))
    limits = limits_over_an_hour(pack, lambda _: -9.0, estimated=estimated)
    assert turns(limits) == 0
    assert limits[0] > 1.0
    assert pack.soc > 0.82
    assert max(max(pack.cell_v(name)) for name in pack.modules) < VW_GTE_12S.full_cell_v + 0.01


def kettle(second: int) -> float:
    return 9.0 if second % 300 < 150 else 0.3


def test_a_load_that_comes_and_goes_moves_the_limit_only_without_an_estimate() -> None:
    """Each pause lets cells relax; only with a rest voltage does the limit not answer to it."""
    model = aged(2.0)
    with_estimate = limits_over_an_hour(
        Pack(MODULES, soc=0.11, temp_c=6.0, model=model), kettle, estimated=True
    )
    without = limits_over_an_hour(
        Pack(MODULES, soc=0.11, temp_c=6.0, model=model), kettle, estimated=False
    )
    assert turns(with_estimate) == 0
    assert turns(without) > 10
