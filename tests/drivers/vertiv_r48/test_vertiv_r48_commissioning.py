"""Stored writes: armed by a person, one at a time, acknowledged."""

from __future__ import annotations

import pytest
from vertiv_r48_bench import Bench, bench

from gridzero.errors import DeviceError, DeviceSilent
from gridzero_drivers.vertiv_r48.codec import Ack
from gridzero_drivers.vertiv_r48.commissioning import (
    ARMING_WORDS,
    MOST_WRITES_PER_DAY,
    Commissioning,
    NotArmed,
    Token,
)
from gridzero_drivers.vertiv_r48.stored import stored_volts


def commissioning(house: Bench, module: int = 0) -> Commissioning:
    return Commissioning(house.links.can("charger"), module, house.clock)


async def test_a_write_is_acknowledged_and_stored() -> None:
    async with bench() as house:
        twin = house.twin(2)
        work = commissioning(house, 2)
        acknowledged = await work.store_voltage(work.arm(ARMING_WORDS), 42.0)
        assert acknowledged == Ack(2, False, 0x24, 0xF0, 42.0)
        await house.wait(6.0)
        acknowledged = await work.store_limit(work.arm(ARMING_WORDS), 0.0)
        assert acknowledged.parameter == 0x19
        assert (twin.registers.offline_v, twin.registers.offline_fraction) == (42.0, 0.0)
        await house.wait(6.0)
        assert (await work.store_walk_in(work.arm(ARMING_WORDS), enabled=True)).parameter == 0x32
        await house.wait(6.0)
        assert (await work.store_walk_in_time(work.arm(ARMING_WORDS), 8.0)).value == 8.0


@pytest.mark.parametrize("words", ["", "yes", ARMING_WORDS.upper()])
async def test_other_words_do_not_arm(words: str) -> None:
    async with bench() as house:
        with pytest.raises(NotArmed, match="on site"):
            commissioning(house).arm(words)


async def test_a_token_is_for_one_write_and_for_a_minute() -> None:
    async with bench() as house:
        twin = house.twin()
        work = commissioning(house)
        token = work.arm(ARMING_WORDS)
        await work.store_voltage(token, 48.0)
        await house.wait(10.0)
        with pytest.raises(NotArmed, match="spent"):
            await work.store_voltage(token, 47.0)
        late = work.arm(ARMING_WORDS)
        await house.wait(61.0)
        with pytest.raises(NotArmed, match="older than 60 s"):
            await work.store_voltage(late, 47.0)
        older, _newer = work.arm(ARMING_WORDS), work.arm(ARMING_WORDS)
        with pytest.raises(NotArmed, match="replaced"):
            await work.store_voltage(older, 47.0)
        with pytest.raises(NotArmed):
            await work.store_voltage(Token(99, 1e9), 47.0)
        assert twin.registers.stored_writes == 1


async def test_writes_are_spaced_and_counted() -> None:
    async with bench() as house:
        twin = house.twin()
        work = commissioning(house)
        await work.store_voltage(work.arm(ARMING_WORDS), 48.0)
        with pytest.raises(NotArmed, match="less than 5 s"):
            await work.store_voltage(work.arm(ARMING_WORDS), 48.0)
        for _ in range(MOST_WRITES_PER_DAY - 1):
            await house.wait(6.0)
            await work.store_voltage(work.arm(ARMING_WORDS), 48.0)
        await house.wait(6.0)
        with pytest.raises(NotArmed, match="within a day"):
            await work.store_voltage(work.arm(ARMING_WORDS), 48.0)
        assert twin.registers.stored_writes == MOST_WRITES_PER_DAY


async def test_nonsense_is_refused_before_anything_is_sent_or_spent() -> None:
    async with bench() as house:
        house.twin()
        work = commissioning(house)
        token = work.arm(ARMING_WORDS)
        with pytest.raises(ValueError, match=r"41 to 58\.5"):
            await work.store_voltage(token, 60.0)
        assert house.sent == []
        assert (await work.store_voltage(token, 48.0)).parameter == 0x24


async def test_a_refusal_and_a_silence_are_errors() -> None:
    async with bench() as house:
        twin = house.twin()
        work = commissioning(house)
        twin.refuse = {0x24}
        with pytest.raises(DeviceError, match="invalid data"):
            await work.store_voltage(work.arm(ARMING_WORDS), 42.0)
        await house.wait(6.0)
        twin.silent = True
        with pytest.raises(DeviceSilent, match="no acknowledgement"):
            await work.store_limit(work.arm(ARMING_WORDS), 0.0)


async def test_the_answer_of_another_module_is_no_acknowledgement() -> None:
    async with bench() as house:
        house.twin(1)
        work = commissioning(house, 0)
        house.bus.attach().send(stored_volts(0x06080F83, 48.0))
        with pytest.raises(DeviceSilent):
            await work.store_voltage(work.arm(ARMING_WORDS), 42.0)
