"""All that can be done to the house: one row per injection, each with what must follow.

A new fault of ``domain/faults.py`` needs one row here (or a line in ``ELSEWHERE`` that says why it
cannot be made on these wires); ``test_harm_catalogue.py`` complains until it has one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from harm_hang import hang_tasks, release_tasks
from harm_truth import FOREVER
from harm_world import World

from gridzero.ports.links import CanFrame

Act = Callable[[World, float, bool], None]
"""Called with (world, dose 0..1, whether it begins or ends)."""


class Trouble(NamedTuple):
    """One way to hurt the house.

    codes: faults that it must raise, each within the seconds given. scene: what the house is doing
    when it is tried alone: charging, discharging or any. stops: what must be without power within
    stop_s: charge, discharge, both, or "" (goes on). lasts_s: how long it is tried alone.
    back_s: within so long after its end the grid is held again.

    charge_s, discharge_s: how much later a command takes effect in this trouble; FOREVER = the
    device does not obey. contactor_s: the same for charging behind a contactor.
    hides: truths that gridzero cannot know in this trouble (cells, temps, ages, rating, both).
    judged: as codes, but told by the judgement of readings (``battery.battery``), where there is one.
    contactor: needs a house with a contactor.
    """

    name: str
    act: Act
    codes: dict[str, float]
    scene: str = "any"
    stops: str = ""
    stop_s: float = 6.0
    lasts_s: float = 15.0
    back_s: float = 60.0
    charge_s: float = 0.0
    discharge_s: float = 0.0
    contactor_s: float = FOREVER
    hides: frozenset[str] = frozenset()
    judged: dict[str, float] = {}  # noqa: RUF012 - of a tuple, and nobody changes it
    contactor: bool = False


# --- acts -----------------------------------------------------------------------------------


def knob(device: str, name: str, *, on: Any = True, off: Any = False) -> Act:
    def act(world: World, _dose: float, begins: bool) -> None:
        setattr(world.twin(device), name, on if begins else off)

    return act


def dosed(device: str, name: str, low: float, high: float, off: Any) -> Act:
    def act(world: World, dose: float, begins: bool) -> None:
        setattr(world.twin(device), name, low + dose * (high - low) if begins else off)

    return act


def bus_lost(name: str) -> Act:
    def act(world: World, _dose: float, begins: bool) -> None:
        world.media.can_bus(name).plugged = not begins

    return act


def wire_lost(world: World, _dose: float, begins: bool) -> None:
    world.media.wire("inverter").plugged = not begins


def module_in(knob_name: str) -> Act:
    """A module (of bus a: number 3) is put into one of the twin's sets."""

    def act(world: World, _dose: float, begins: bool) -> None:
        group = getattr(world.twin("battery"), knob_name)
        (group.add if begins else group.discard)(3)

    return act


def misread(volts: float) -> Act:
    def act(world: World, dose: float, begins: bool) -> None:
        cell = 1 + int(dose * 11.99)
        if begins:
            world.twin("battery").misread[3, cell] = volts
        else:
            world.twin("battery").misread.clear()

    return act


def cell_gone(world: World, dose: float, begins: bool) -> None:
    cell = 1 + int(dose * 11.99)
    world.twin("battery").not_available.update({(3, cell)} if begins else ())
    if not begins:
        world.twin("battery").not_available.clear()


def cell_reads(kind: str, volts: float | None = None) -> Act:
    """One cell of module 3 lies in one of the twin's ways: offset_v, stuck, jumping, swapped."""

    def act(world: World, dose: float, begins: bool) -> None:
        lies = getattr(world.twin("battery"), kind)
        cell = (3, 1 + int(dose * 10.99))
        if not begins:
            lies.clear()
        elif volts is None:
            lies.add(cell)
        else:
            lies[cell] = volts

    return act


def of_contactor(name: str) -> Act:
    def act(world: World, _dose: float, begins: bool) -> None:
        if world.start.contactor:
            setattr(world.twin("contactor"), name, begins)

    return act


def true_cell(soc: float) -> Act:
    """A cell really is full or empty; afterwards it is what it was."""

    def act(world: World, dose: float, begins: bool) -> None:
        cell = 1 + int(dose * 11.99)
        pack = world.house.pack
        if begins:
            world.kept.setdefault(f"a3.{cell}", pack.cell_soc("a3")[cell - 1])
            pack.set_cell_soc("a3", cell, soc)
        elif f"a3.{cell}" in world.kept:
            pack.set_cell_soc("a3", cell, world.kept.pop(f"a3.{cell}"))

    return act


def true_temp(temp_c: float) -> Act:
    def act(world: World, _dose: float, begins: bool) -> None:
        pack = world.house.pack
        pack.ambient_c = temp_c if begins else world.start.temp_c
        for name in world.modules:
            pack.set_temp_c(name, pack.ambient_c)

    return act


def meter_says(*payloads: bytes) -> Act:
    def act(world: World, dose: float, begins: bool) -> None:
        payload = payloads[min(int(dose * len(payloads)), len(payloads) - 1)]
        world.twin("meter").garbage = payload if begins else None

    return act


def meter_turned(world: World, _dose: float, begins: bool) -> None:
    """All its numbers have the wrong sign."""
    meter = world.twin("meter")
    if not begins:
        del meter.advance
        return
    publish = meter.advance
    meter.advance = lambda seconds: [
        (topic, _turned(payload)) for topic, payload in publish(seconds)
    ]


def _turned(payload: bytes) -> bytes:
    """What is no number has no sign."""
    try:
        return b"%d" % -float(payload)
    except (ValueError, OverflowError):
        return payload


def rectifier_stuck(low_a: float, high_a: float) -> Act:
    def act(world: World, dose: float, begins: bool) -> None:
        stuck_a = low_a + dose * (high_a - low_a)
        world.twin("rectifier").power.stuck_at_a = stuck_a if begins else None

    return act


def refuses(world: World, _dose: float, begins: bool) -> None:
    refused = world.twin("rectifier").refuse
    (refused.add if begins else refused.discard)(0x22)


def shunt_saturated(world: World, _dose: float, begins: bool) -> None:
    shunt = world.twin("shunt")
    if begins:
        shunt._input_v = lambda: 1.0
    else:
        del shunt._input_v


def shunt_browns_out(world: World, _dose: float, begins: bool) -> None:
    if begins:
        world.twin("shunt").brown_out()


def i2c_stuck(world: World, _dose: float, begins: bool) -> None:
    for life in world.lives:
        life.links.i2c("sensors").stuck = begins


class _UnknownLoad:
    """Something on the battery that gridzero knows nothing of."""

    ac_w = 0.0
    dc_a = 0.0


def unknown_load(world: World, dose: float, begins: bool) -> None:
    load = _UnknownLoad()
    load.dc_a = 60.0 + 30.0 * dose if begins else 0.0
    world.house.add_converter("unknown_load", load)


def _spoken(name: str, act: Callable[[World, int], None]) -> Act:
    """Something that happens at each step of the world."""

    def spoken(world: World, _dose: float, begins: bool) -> None:
        steps = iter(range(10**9))
        if begins:
            world.each_step[name] = lambda: act(world, next(steps))
        else:
            world.each_step.pop(name, None)

    return spoken


def _stranger(world: World, step: int) -> None:
    if step % 4 == 0:
        _put(world, "battery_a", CanFrame(0x1C0, bytes.fromhex("00C0A88CCAA88C0A")))


def bleeds_alone(world: World, dose: float, begins: bool) -> None:
    """A bleed transistor of module 3 is stuck, and the module says so."""
    module = world.twin("battery").modules[0]
    cell = 1 << int(dose * 11.99)
    module.active = type(module).active.__get__(module)
    if begins:
        ordered = module.active
        module.active = lambda now_s: ordered(now_s) | cell
    world.twin("battery")._switch(module)


def _babble(world: World, step: int) -> None:
    for bus in ("battery_a", "charger"):
        for number in range(40):
            _put(world, bus, CanFrame((step * 40 + number) & 0x7F, bytes(8)))


def _flood(world: World, step: int) -> None:
    for number in range(40):
        can_id = 0x10000000 + ((step * 40 + number) * 7919 & 0xFFFFFF)
        _put(world, "battery_a", CanFrame(can_id, bytes(8), is_extended=True))


def _error_frames(world: World, _step: int) -> None:
    for bus in world.media.can_buses:
        for _ in range(10):
            _put(world, bus, CanFrame(0x04, bytes(8), is_error=True))


def _put(world: World, bus: str, frame: CanFrame) -> None:
    """From nobody: every end hears it."""
    media = world.media.can_bus(bus)
    if media.plugged:
        media.put(None, frame)  # type: ignore[arg-type]


_WISHES = (b"nan", b"-1", b"1e9", b"", b"\xff\xfe", b"{}", b"9" * 4000)
_TOPICS = (
    "mode",
    "power_w",
    "target_w",
    "identify",
    "outlook",
    "strategy",
    "min_soc_pct",
    "ev_hold",
)


def _mqtt_flood(world: World, step: int) -> None:
    for number in range(25):
        topic = f"gridzero/{_TOPICS[(step + number) % len(_TOPICS)]}/set"
        world.media.broker.put(topic, _WISHES[(step * 3 + number) % len(_WISHES)], False)
        world.media.broker.put(f"noise/{number}", b"x" * 200, False)


def serial_garbage(world: World, _dose: float, begins: bool) -> None:
    def speak() -> None:
        host = world.media.wire("inverter").host
        world.loop.call_soon(host.take, bytes((7 * n + 0x24) & 0xFF for n in range(60)))

    if begins:
        world.each_step["serial"] = speak
    else:
        world.each_step.pop("serial", None)


def broker_gone(world: World, _dose: float, begins: bool) -> None:
    for client in world.media.broker.clients:
        if client is world.life.links.mqtt():
            client.plugged = not begins


def control_hung(world: World, _dose: float, begins: bool) -> None:
    if begins:
        world.life.app.site.tick = lambda: None


def task_hung(*names: str) -> Act:
    def act(world: World, _dose: float, begins: bool) -> None:
        if begins:
            world.hung += hang_tasks(names)
        else:
            release_tasks(world.hung)
            world.hung = []

    return act


def bug_in_output(world: World, _dose: float, begins: bool) -> None:
    def crash() -> None:
        raise ZeroDivisionError("a bug")

    if begins:
        world.life.app.output.publish = crash


def process_blocked(seconds: float) -> Act:
    """A call that does not return for so long; the watch thread ends it after 8 s."""

    def act(world: World, _dose: float, begins: bool) -> None:
        if begins and not world.life.is_dead:
            world.block(min(seconds, 8.0))
            if seconds > 8.0:
                process_killed(world, _dose, True)
        elif seconds > 8.0:
            process_killed(world, _dose, False)

    return act


def process_killed(world: World, _dose: float, begins: bool) -> None:
    if begins:
        world.kill()
    elif world.life.is_dead:
        world.restart()


class FullDisk:
    """Takes nothing: every save fails as the real store fails, with a line in the log."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def load(self) -> dict[str, Any]:
        return self.store.load()

    def save(self, values: dict[str, Any]) -> None:
        """ENOSPC or EROFS: runtime/stores.py catches it and says so."""

    def put_aside(self) -> None:
        """There is no room for a second file."""

    def on_stored(self, listener: Callable[[dict[str, Any]], None]) -> None:
        self.store.on_stored(listener)


def disk_full(world: World, _dose: float, begins: bool) -> None:
    """For the running process and for the next one."""
    for name, store in world.stores.items():
        world.stores[name] = FullDisk(store) if begins else getattr(store, "store", store)
    app = world.life.app
    app.site.settings._store = world.stores["settings"]
    app.learning._store = world.stores["learned"]
    app.energy._store = world.stores["energy"]
    app.energy._days_store = world.stores["energy-days"]


def clock_jumps(world: World, dose: float, begins: bool) -> None:
    """The wall clock of the Pi is years off until the time server is reached."""
    offset_s = (dose - 0.5) * 40 * 365 * 86400 if begins else 0.0
    world.life.app.energy._utc_s = lambda: time.time() + offset_s
    if world.life.app.market is not None:
        world.life.app.market._utc_s = lambda: time.time() + offset_s


def mains_dips(world: World, _dose: float, begins: bool) -> None:
    world.house.mains_v = 60.0 if begins else 230.0
    world.twin("inverter").off_mains = begins


_ALL_HIDDEN = frozenset({"cells", "temps", "ages"})
_CELLS = frozenset({"cells"})
_GARBAGE = (b"unavailable", b"NaN", b"[]", b"\xff\xfe", b"", b"1e400", b"9" * 5000)

TROUBLES = (
    # the meter
    Trouble("meter_silent", knob("meter", "silent"), {"meter_lost": 11}, stops="both", stop_s=12),
    Trouble(
        "meter_garbage",
        meter_says(*_GARBAGE),
        {"meter_garbage": 2, "meter_lost": 12},
        stops="both",
        stop_s=13,
    ),
    Trouble("meter_frozen", knob("meter", "frozen"), {}, lasts_s=20, hides=frozenset({"ages"})),
    Trouble("meter_spikes", meter_says(b"60000", b"-60000", b"2500", b"-2500"), {}, lasts_s=8),
    Trouble("meter_late", dosed("meter", "jitter_s", 0.5, 3.0, 0.0), {}),
    Trouble("meter_turned", meter_turned, {"meter_wrong": 120}, lasts_s=130, back_s=420),
    Trouble("broker_gone", broker_gone, {"meter_lost": 11}, stops="both", stop_s=12),
    Trouble("mqtt_flood", _spoken("mqtt", _mqtt_flood), {}),
    # the battery
    Trouble("module_silent", module_in("silent"), {"module_silent": 6}, stops="both", stop_s=8),
    Trouble(
        "module_frozen", module_in("frozen"), {}, lasts_s=20, hides=_ALL_HIDDEN
    ),  # a known weak spot: only logged
    Trouble(
        "no_temperature",
        module_in("no_temperature"),
        {"temp_missing": 12},
        stops="both",
        stop_s=36,
        lasts_s=45,
        back_s=100,
    ),
    Trouble(
        "bus_a_lost",
        bus_lost("battery_a"),
        {"bus_silent": 6, "module_silent": 6},
        stops="both",
        stop_s=8,
    ),
    Trouble("bus_b_lost", bus_lost("battery_b"), {"bus_silent": 6}, stops="both", stop_s=8),
    Trouble("cell_gone", cell_gone, {"module_silent": 6}, stops="both", stop_s=8),
    Trouble(
        "cell_reads_low",
        misread(2.58),
        {"cell_under": 2},
        "discharging",
        judged={"cell_misread": 10},
        back_s=100,
        hides=_CELLS,
    ),
    Trouble(
        "cell_reads_high",
        misread(4.25),
        {"cell_over": 2},
        "charging",
        judged={"cell_misread": 10},
        back_s=100,
        hides=_CELLS,
    ),
    Trouble(
        "cell_reads_nonsense",
        misread(1.2),
        {"cell_implausible": 2},
        judged={"cell_misread": 10},
        back_s=110,
        hides=_CELLS,
    ),
    Trouble(
        "cell_reads_off",
        cell_reads("offset_v", 0.35),
        {},
        judged={"cell_misread": 12},
        back_s=420,
        hides=_CELLS,
    ),
    Trouble("cell_reads_stuck", cell_reads("stuck"), {}, hides=_CELLS),
    Trouble(
        "cell_reads_jump",
        cell_reads("jumping", 0.3),
        {},
        judged={"cell_misread": 12},
        back_s=100,
        hides=_CELLS,
    ),
    Trouble("wires_swapped", cell_reads("swapped"), {}, back_s=420, hides=_CELLS),
    Trouble(
        "cell_is_empty",
        true_cell(-0.04),
        {"cell_under": 2},
        "discharging",
        "discharge",
        3,
        back_s=420,
        judged={"cell_odd": 12},
    ),
    Trouble("cell_is_full", true_cell(1.02), {"cell_over": 2}, "charging", "charge", 4, back_s=420),
    Trouble("battery_hot", true_temp(60.0), {"too_hot": 3}, "discharging", "both", 5, back_s=760),
    Trouble("battery_cold", true_temp(0.5), {"too_cold": 3}, "charging", "both", 6, back_s=760),
    Trouble(
        "stranger",
        _spoken("stranger", _stranger),
        {"unexpected_module": 2},
        stops="both",
        stop_s=5,
        back_s=90,
    ),
    Trouble("bleeds_alone", bleeds_alone, {"bleed_mismatch": 12}),
    Trouble("can_babble", _spoken("babble", _babble), {}),
    Trouble("can_flood", _spoken("flood", _flood), {}),
    Trouble("error_frames", _spoken("errors", _error_frames), {}),
    # the shunt
    Trouble(
        "shunt_unplugged",
        knob("shunt", "unplugged"),
        {"shunt_silent": 3, "device_lost": 3},
        stops="both",
        stop_s=8,
    ),
    Trouble(
        "shunt_frozen",
        knob("shunt", "frozen"),
        {"shunt_silent": 45},
        stops="both",
        stop_s=48,
        lasts_s=55,
        hides=frozenset({"ages"}),
    ),
    Trouble("shunt_saturated", shunt_saturated, {"shunt_saturated": 2}, stops="both", stop_s=8),
    Trouble("shunt_brown_out", shunt_browns_out, {}),
    Trouble(
        "shunt_reversed",
        knob("shunt", "reversed"),
        {},
        judged={"shunt_sign": 60},
        lasts_s=60,
        back_s=120,
        hides=frozenset({"both"}),
    ),
    Trouble("shunt_repeats", knob("shunt", "stuck"), {}, back_s=150, hides=frozenset({"both"})),
    Trouble(
        "shunt_drifted",
        dosed("shunt", "extra_a", -6.0, 6.0, 0.0),
        {},
        back_s=150,
        hides=frozenset({"both"}),
    ),
    Trouble("i2c_stuck", i2c_stuck, {"shunt_silent": 8}, stops="both", stop_s=9),
    Trouble(
        "unknown_load", unknown_load, {"over_current": 4}, "discharging", "both", 6, back_s=200
    ),
    # the rectifier
    Trouble(
        "rectifier_silent",
        knob("rectifier", "silent"),
        {"charger_silent": 6},
        "charging",
        "charge",
        10,
        back_s=90,
    ),
    Trouble(
        "rectifier_deaf",
        knob("rectifier", "deaf"),
        {},
        "charging",
        charge_s=32.0,
        contactor_s=40,
        hides=frozenset({"both", "rating"}),
    ),
    Trouble(
        "rectifier_stuck_high",
        rectifier_stuck(30.0, 50.0),
        {"charger_over_setpoint": 8},
        "any",
        charge_s=FOREVER,
        contactor_s=16,
        back_s=150,
    ),
    Trouble(
        "rectifier_stuck_low",
        rectifier_stuck(0.0, 2.0),
        {"charger_not_following": 25},
        "charging",
        lasts_s=40,
        charge_s=FOREVER,
        contactor_s=40,
        back_s=240,
    ),
    Trouble(
        "rectifier_refuses",
        refuses,
        {"charger_refused": 6},
        "charging",
        "charge",
        40,
        lasts_s=50,
        charge_s=32.0,
        back_s=90,
    ),
    Trouble(
        "rectifier_alarms",
        knob("rectifier", "alarm_word", on=0x08000000, off=0),
        {"charger_alarm": 6},
        "charging",
    ),
    Trouble(
        "charger_bus_lost",
        bus_lost("charger"),
        {"charger_silent": 7},
        "charging",
        "charge",
        34,
        lasts_s=40,
        charge_s=32.0,
        contactor_s=17,
        back_s=90,
    ),
    Trouble("mains_dip", mains_dips, {}, "any", lasts_s=10, back_s=120),
    Trouble(
        "contactor_stuck",
        of_contactor("stuck"),
        {"contactor_stuck_open": 5},
        "charging",
        "charge",
        3,
        back_s=150,
        contactor=True,
    ),
    Trouble(
        "contactor_unread",
        of_contactor("wire_broken"),
        {"contactor_stuck_open": 5},
        "charging",
        back_s=150,
        contactor=True,
    ),
    Trouble(
        "contactor_welded",
        of_contactor("welded"),
        {},
        "charging",
        contactor=True,
        contactor_s=FOREVER,
    ),
    # the inverter
    Trouble(
        "inverter_off_mains",
        knob("inverter", "off_mains"),
        {"inverter_not_following": 20},
        "discharging",
        lasts_s=25,
        back_s=120,
    ),
    Trouble(
        "inverter_faulty",
        knob("inverter", "fault_code", on=0x04, off=None),
        {"inverter_fault": 6},
        "discharging",
        back_s=120,
    ),
    Trouble(
        "inverter_stuck",
        knob("inverter", "stuck"),
        {},
        "discharging",
        discharge_s=FOREVER,
        hides=frozenset({"both"}),
        back_s=120,
    ),
    Trouble("inverter_mute", knob("inverter", "silent"), {}, "discharging"),
    Trouble(
        "inverter_slow",
        knob("inverter", "dead_time_s", on=3.0, off=0.3),
        {},
        "discharging",
        discharge_s=3.5,
    ),
    Trouble("inverter_lazy", knob("inverter", "slew_scale", on=0.3, off=1.0), {}, "discharging"),
    Trouble(
        "wire_lost", wire_lost, {"link_down": 3}, "discharging", "discharge", 13, discharge_s=11.0
    ),
    Trouble("wire_echo", knob("inverter", "echo"), {}, "discharging"),
    Trouble("wire_garbage", serial_garbage, {}, "discharging"),
    # the process
    Trouble(
        "control_hangs",
        control_hung,
        {"lease_expired": 5, "control_hung": 8},
        "any",
        "both",
        8,
        lasts_s=11,
        back_s=120,
    ),
    Trouble("inverter_task_hangs", task_hung("inverter"), {}, "discharging", discharge_s=11.0),
    Trouble(
        "rectifier_task_hangs",
        task_hung("rectifier"),
        {"device_lost": 5},
        "charging",
        lasts_s=45,
        back_s=90,
    ),
    Trouble(
        "battery_tasks_hang",
        task_hung("battery.a", "battery.b"),
        {"module_silent": 6},
        "any",
        "both",
        8,
        back_s=90,
    ),
    Trouble("shunt_task_hangs", task_hung("shunt"), {}, "any", "both", 8, back_s=90),
    Trouble("protect_task_hangs", task_hung("control"), {}, "any"),
    Trouble("output_task_hangs", task_hung("mqtt_out", "learning"), {}, "any"),
    Trouble(
        "bug_in_a_task",
        bug_in_output,
        {"task_crashed": 3},
        "any",
        "both",
        8,
        lasts_s=15,
        back_s=120,
    ),
    Trouble(
        "blocked_1_s",
        process_blocked(1.0),
        {},
        "any",
        lasts_s=2,
        charge_s=1.0,
        discharge_s=1.0,
        contactor_s=1.0,
    ),
    Trouble(
        "blocked_5_s",
        process_blocked(5.0),
        {},
        "any",
        lasts_s=12,
        charge_s=9.0,
        discharge_s=9.0,
        contactor_s=5.0,
        back_s=120,
    ),
    Trouble(
        "blocked_20_s",
        process_blocked(20.0),
        {},
        "any",
        lasts_s=12,
        charge_s=40.0,
        discharge_s=18.0,
        contactor_s=12.0,
        back_s=120,
    ),
    Trouble(
        "killed",
        process_killed,
        {},
        "any",
        lasts_s=8,
        charge_s=32.0,
        discharge_s=11.5,
        contactor_s=4.5,
        back_s=120,
    ),
    Trouble("disk_full", disk_full, {}),
    Trouble("clock_jumps", clock_jumps, {}),
)

BY_NAME = {row.name: row for row in TROUBLES}

JUDGED_ALONE = (
    *("cell_deep", "cell_spread", "cell_rate", "hot_charge", "cold_discharge", "temp_spread"),
    *("charge_current", "discharge_current", "module_current", "current_integral"),
    *("charging_forbidden", "discharging_forbidden", "charging_untold", "charge_excess"),
    *("misread_many", "module_apart", "module_frozen", "temp_odd", "pack_voltage"),
    *("converter_voltage", "shunt_stuck", "shunt_offset", "bleed_endless"),
    *("self_heating", "heater_useless"),
)
"""Levels of the protections and judgements that need a while: tests/unit/battery tries each."""

ELSEWHERE = {
    **dict.fromkeys(JUDGED_ALONE, "tried level by level in tests/unit/battery"),
    "charger_no_contactor": "stands from the start wherever no contactor is configured",
    "converter_suspect": "a state on the way to not_following that a calm house skips; scenarios",
    "actuator_changed": "is learned over dozens of moves, too long for these scenarios; scenarios",
    "can_errors": "is decoded in the real CAN link, which memory wires replace; tests/unit/links",
    "contactor_welded": "is seen when it is opened; tests/drivers/gpio_switch, contactor_welded here",
    "contactor_under_load": "is the battery's own contactor; tests/unit/runtime",
    "battery_memory_lost": "is told at start by a damaged file; tests/unit/runtime",
    "state_not_saved": "is of a real disk; tests/process/test_process_awkward.py",
    "latches_lost": "is told at start by a damaged file; tests/unit/runtime/test_latches.py",
    "broker_refuses": "is of a real broker, which memory wires replace; tests/unit/links, tests/mosquitto",
    "second_control": "changes no power, and needs a second process; tests/scenarios/test_scenario_second_control.py",
    "commands_stuck": "is of the hardware watchdog, which hangs on no wire of this house",
    "config_rolled_back": "is decided before a start; tests/scenarios/test_scenario_reload.py",
    "limits_rolled_back": "is decided before a start; tests/scenarios/test_scenario_reload.py",
    "companion_lost": "is another process; tests/process/test_process_children.py",
    "watchdog_lost": "is of the hardware watchdog, which hangs on no wire of this house",
}
"""Faults that no row raises, and why."""
