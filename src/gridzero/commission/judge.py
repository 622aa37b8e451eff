"""What a measured figure means for the person at the screwdriver; pure.

Every comparison is phrased so that an unknown figure is not good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridzero.commission.result import Result, bad, good

CELL_LOW_V, CELL_HIGH_V = 3.0, 4.15
MODULES_APART_V = 0.2
VOLTMETER_V = 0.010
ZERO_A = 0.1
NOISE_A = 0.5
RECTIFIER_A = 2.0
"""How far the rectifier's own current may be off (vertiv-r48 protocol notes, section 7.1 C11)."""
KETTLE_W = 300.0
TURN_SHUNT = "The sign is wrong: invert: true in the section of the shunt, then restart"
METER_AGE_S = 2.0
INVERTER_PART = 0.35
CLEARLY = 0.5


def modules(
    there: int | None,
    healthy: int | None,
    wired: float,
    cells: Mapping[str, Sequence[float | None]],
) -> Result:
    """there, healthy: what gridzero expects and hears. wired: what the person has wired."""
    if there is None or healthy is None or not cells:
        return bad("no module is heard", "Look at 12 V, CAN plug and bit rate: gridzero doctor")
    if there != wired:
        return bad(
            f"{wired:g} are wired, and the configuration names {there}",
            "Make devices.battery.buses name exactly the modules that are there",
        )
    if healthy != there:
        return bad(
            f"{healthy} of {there} modules are complete",
            "Look at the fault module_silent: which one, its 12 V and its plug",
        )
    odd = [
        f"{name}.{place} {'unknown' if volts is None else f'{volts:.3f} V'}"
        for name, row in cells.items()
        for place, volts in enumerate(row, start=1)
        if volts is None or not CELL_LOW_V <= volts <= CELL_HIGH_V
    ]
    if odd:
        return bad(
            f"outside {CELL_LOW_V:g} to {CELL_HIGH_V:g} V: {', '.join(odd[:6])}",
            "Do not connect that module: measure the cell by hand first",
        )
    return good(f"{there} modules, {sum(map(len, cells.values()))} cells, all within bounds")


def modules_apart(cells: Mapping[str, Sequence[float | None]]) -> Result:
    """Whether the modules may be joined: each one's sum of cells."""
    sums: dict[str, float] = {}
    for name, row in cells.items():
        known = [volts for volts in row if volts is not None]
        if not known or len(known) != len(row):
            return bad(f"cells of {name} are unknown", "First mend the line of the module count")
        sums[name] = sum(known)
    if not sums:
        return bad("no module is heard", "First mend the line of the module count")
    low, high = min(sums, key=sums.__getitem__), max(sums, key=sums.__getitem__)
    apart_v = sums[high] - sums[low]
    told = f"{low} {sums[low]:.2f} V, {high} {sums[high]:.2f} V: {apart_v:.2f} V apart"
    if not apart_v < MODULES_APART_V:
        return bad(told, "Do not join them: equalise first, through a resistor, and look again")
    return good(told)


def voltmeter(name: str, told_v: float | None, measured_v: float) -> Result:
    """One cell against a voltmeter."""
    if told_v is None:
        return bad(f"{name} is unknown to gridzero", "First mend the line of the module count")
    told = f"{name}: gridzero {told_v:.3f} V, voltmeter {measured_v:.3f} V"
    if not abs(told_v - measured_v) <= VOLTMETER_V + 1e-9:
        return bad(told, "Look at the sense wire, at the voltmeter, and whether it is that cell")
    return good(told)


def meter(before_w: float | None, after_w: float | None, age_s: float | None) -> Result:
    """A kettle between two looks. age_s: of the oldest reading seen."""
    if before_w is None or after_w is None or age_s is None:
        return bad("the meter does not speak", "gridzero meter test --config FILE")
    told = f"{before_w:.0f} W, with the kettle {after_w:.0f} W; readings up to {age_s:.1f} s old"
    if after_w - before_w <= -KETTLE_W:
        return bad(told, "The sign is wrong: scale: -1 of the meter, or turn its clamp round")
    if not after_w - before_w >= KETTLE_W:
        return bad(told, "It does not see the kettle: is it at the house connection, all phases?")
    if not age_s <= METER_AGE_S:
        return bad(told, "Too slow to hold a house: let it send every second (docs/meters.md)")
    return good(told)


def zero(mean_a: float | None, spread_a: float, zero_a: float | None) -> Result:
    """The shunt at rest. zero_a: as it stands in the file, None = not known here."""
    if mean_a is None:
        return bad("the shunt does not speak", "gridzero doctor looks for it on the I2C bus")
    told = f"{mean_a:+.3f} A at rest, within {spread_a:.3f} A"
    if not spread_a <= 2 * NOISE_A:
        return bad(told, "It is not at rest, or a wire is loose: nothing may flow, look again")
    if abs(mean_a) <= ZERO_A:
        return good(told)
    if zero_a is None:
        line = f"add {mean_a:+.3f} to zero_a of the shunt"
    else:
        line = f"in the section of the shunt write  zero_a: {zero_a + mean_a:.3f}"
    return bad(told, f"{line}, and restart; it must then read below {ZERO_A:g} A")


def shunt_sign(shunt_a: float | None, rectifier_a: float | None) -> Result:
    """While charging: shunt_a < 0. rectifier_a: the rectifiers' own word, > 0."""
    if shunt_a is None or rectifier_a is None:
        return bad("shunt or rectifier does not speak", "Look at console faults, then try again")
    told = f"shunt {shunt_a:+.1f} A, rectifier {rectifier_a:.1f} A"
    if not rectifier_a >= RECTIFIER_A:
        return bad(told, "The rectifier gives too little to judge by: why tells what holds it back")
    if shunt_a >= CLEARLY * rectifier_a:
        return bad(told, TURN_SHUNT)
    if not shunt_a <= -CLEARLY * rectifier_a:
        return bad(told, "The shunt is not in the common minus line, or its wires are loose")
    if not abs(shunt_a + rectifier_a) <= max(RECTIFIER_A, 0.15 * rectifier_a):
        return bad(
            told, "Compare with a clamp meter: rated_a and rated_mv, or something else draws"
        )
    return good(told)


def clamp(shunt_a: float | None, clamp_a: float) -> Result:
    """The rectifier's amount against a clamp meter; signs do not matter here."""
    if shunt_a is None:
        return bad("the shunt does not speak", "First mend the line of the shunt")
    told = f"shunt {abs(shunt_a):.1f} A, clamp meter {abs(clamp_a):.1f} A"
    if not abs(abs(shunt_a) - abs(clamp_a)) <= RECTIFIER_A:
        return bad(told, "Compare rated_a and rated_mv with what stands on the shunt")
    return good(told)


def inverter(
    before_w: float | None, during_w: float | None, after_w: float | None, asked_w: float
) -> Result:
    """The grid before, while asked_w are given, and after."""
    if before_w is None or during_w is None or after_w is None:
        return bad("the meter does not speak", "First mend the line of the meter")
    fell_w, rose_w = before_w - during_w, after_w - during_w
    told = f"the meter fell by {fell_w:.0f} W and rose by {rose_w:.0f} W for {asked_w:.0f} W"
    if not abs(fell_w - rose_w) <= CLEARLY * asked_w:
        return bad(told, "Other loads moved meanwhile: try again in a calm minute")
    gave_w = (fell_w + rose_w) / 2
    if not gave_w >= CLEARLY * asked_w:
        return bad(told, "A and B swapped, or its display is not in the limiter mode")
    if not abs(gave_w - asked_w) <= INVERTER_PART * asked_w:
        return bad(told, "It follows with another amount: units and gain of the inverter's section")
    return good(told)
