from __future__ import annotations

from typing import Any

import pytest
from ads1115_site import Battery, options

from gridzero_drivers.ads1115_shunt import plugin
from gridzero_drivers.ads1115_shunt.codec import (
    CONFIG,
    CONVERSION,
    AdcConfig,
    is_idle,
    raw_from_word,
)
from gridzero_drivers.ads1115_shunt.twin import ShuntTwin

CONTINUOUS = AdcConfig("0-1", 0.256, 32)


def quiet_twin(battery_a: float = 0.0, **given: Any) -> tuple[ShuntTwin, Battery]:
    world = Battery(set_s=0.0, battery_a=battery_a)
    twin = ShuntTwin(options(**given), world)
    twin.noise_bits = 0.0
    return twin, world


def wait(world: Battery, seconds: float) -> None:
    assert world.set_s is not None
    world.set_s += seconds


def test_after_power_on_nothing_converts() -> None:
    twin, world = quiet_twin(50)
    wait(world, 10)
    assert [twin.read_word(register) for register in range(4)] == [0, 0x8583, 0x8000, 0x7FFF]


def test_a_result_comes_at_the_data_rate() -> None:
    twin, world = quiet_twin(40)
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    wait(world, 0.030)
    assert twin.read_word(CONVERSION) == 0
    wait(world, 0.002)
    assert twin.read_word(CONVERSION) == 3840
    world.battery_a = -40
    assert twin.read_word(CONVERSION) == 3840
    wait(world, 0.032)
    assert raw_from_word(twin.read_word(CONVERSION)) == -3840
    assert not is_idle(twin.read_word(CONFIG))


def test_one_conversion_ends_and_stays() -> None:
    twin, world = quiet_twin(40)
    once = AdcConfig("0-1", 0.256, 8, single_shot=True)
    twin.write_word(CONFIG, once.to_word(start=True))
    wait(world, 0.12)
    assert not is_idle(twin.read_word(CONFIG))
    wait(world, 0.01)
    assert is_idle(twin.read_word(CONFIG))
    world.battery_a = 10
    wait(world, 10)
    assert twin.read_word(CONVERSION) == 3840


def test_single_shot_without_start_does_nothing() -> None:
    twin, world = quiet_twin(40)
    twin.write_word(CONFIG, AdcConfig("0-1", 0.256, 8, single_shot=True).to_word())
    wait(world, 1)
    assert twin.read_word(CONVERSION) == 0
    assert is_idle(twin.read_word(CONFIG))


@pytest.mark.parametrize(("battery_a", "raw"), [(1e6, 0x7FFF), (-1e6, -0x8000)])
def test_the_ends_of_the_range(battery_a: float, raw: int) -> None:
    twin, world = quiet_twin(battery_a)
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    wait(world, 1)
    assert raw_from_word(twin.read_word(CONVERSION)) == raw


def test_another_pair_sees_nothing() -> None:
    twin, world = quiet_twin(40, pair="2-3")
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    wait(world, 1)
    assert twin.read_word(CONVERSION) == 0


def test_a_frozen_twin_keeps_its_result_and_a_brown_out_loses_it() -> None:
    twin, world = quiet_twin(40)
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    wait(world, 1)
    assert twin.read_word(CONVERSION) == 3840
    twin.frozen, world.battery_a = True, 5.0
    wait(world, 1)
    assert twin.read_word(CONVERSION) == 3840
    twin.brown_out()
    assert (twin.read_word(CONVERSION), twin.read_word(CONFIG)) == (0, 0x8583)


def test_an_unplugged_twin_does_not_answer() -> None:
    twin, _ = quiet_twin()
    twin.unplugged = True
    with pytest.raises(OSError, match="Remote I/O"):
        twin.read_word(CONFIG)
    with pytest.raises(OSError, match="Remote I/O"):
        twin.write_word(CONFIG, 0)


def test_results_cannot_be_written_and_thresholds_can() -> None:
    twin, _ = quiet_twin()
    twin.write_word(CONVERSION, 77)
    twin.write_word(2, 0x1234)
    assert (twin.read_word(CONVERSION), twin.read_word(2)) == (0, 0x1234)


def test_the_plugin_puts_the_twin_at_its_address() -> None:
    made = options(address=0x4B)
    twins = plugin.twin(made, Battery(set_s=0.0), 1).i2c
    assert list(twins) == [("i2c1", 0x4B)]


def converted(twin: ShuntTwin, world: Battery) -> int:
    wait(world, 1)
    return raw_from_word(twin.read_word(CONVERSION))


def test_an_offset_that_drifted_in_is_added() -> None:
    twin, world = quiet_twin(40)
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    twin.extra_a = 10.0
    assert converted(twin, world) == 3840 + 960


def test_exchanged_wires_turn_the_sign() -> None:
    twin, world = quiet_twin(40)
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    twin.reversed = True
    assert converted(twin, world) == -3840


def test_a_stuck_twin_converts_and_shows_the_same() -> None:
    twin, world = quiet_twin(40)
    twin.write_word(CONFIG, CONTINUOUS.to_word())
    assert converted(twin, world) == 3840
    twin.stuck, world.battery_a = True, 5.0
    assert converted(twin, world) == 3840
    assert twin.read_word(CONFIG) == CONTINUOUS.to_word() & ~0x8000
    twin.stuck = False
    assert converted(twin, world) == 480
