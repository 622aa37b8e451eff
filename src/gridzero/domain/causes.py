"""Why the grid was not at its target: one cause for each second of error."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """What a watt-second of grid error is put down to. The value is the code in MQTT."""

    INVERTER_MAXIMUM = "inverter_maximum"
    CHARGER_MAXIMUM = "charger_maximum"
    CELL_EMPTY = "cell_empty"
    CELL_FULL = "cell_full"
    DC_WINDOW = "dc_window"
    TEMPERATURE = "temperature"
    CURRENT_LIMIT = "current_limit"
    RECOVERING = "recovering"
    BELOW_MINIMUM = "below_minimum"
    MODE = "mode"
    STALE_METER = "stale_meter"
    HEALTH = "health"
    ZERO_CROSS_HOLD = "zero_cross_hold"
    PERIODIC_LOAD = "periodic_load"
    STARTING = "starting"
    DEAD_TIME = "dead_time"
    SLEW = "slew"
    SMALL = "small"
    UNEXPLAINED = "unexplained"


CAUSES: dict[Cause, str] = {
    Cause.INVERTER_MAXIMUM: "the inverters already gave all they can, or there is none",
    Cause.CHARGER_MAXIMUM: "the chargers already took all they can, or there is none",
    Cause.CELL_EMPTY: "the lowest cell was empty or nearly so",
    Cause.CELL_FULL: "the highest cell was full or nearly so",
    Cause.DC_WINDOW: "the battery voltage was outside what the converters work with",
    Cause.TEMPERATURE: "the battery was too cold or too hot for more",
    Cause.CURRENT_LIMIT: "the battery gave or took all the current it may",
    Cause.RECOVERING: "a limit was being lifted slowly after it acted",
    Cause.BELOW_MINIMUM: "less was needed than a converter can hold or is started for",
    Cause.MODE: "somebody asked for something else than holding the grid",
    Cause.STALE_METER: "the meter had been silent, and power had fallen or was coming back",
    Cause.HEALTH: "a device was silent, not following, in doubt or faulty",
    Cause.ZERO_CROSS_HOLD: "charging and discharging were kept apart, or a start put off",
    Cause.PERIODIC_LOAD: "a load came and went at a steady beat and was met half-way",
    Cause.STARTING: "a charger was starting and did not follow yet",
    Cause.DEAD_TIME: "the change was not yet seen, or the answer to it was still on its way",
    Cause.SLEW: "a converter was on its way at the rate it can change",
    Cause.SMALL: "within 25 W and none of these: noise and small changes of the load",
    Cause.UNEXPLAINED: "more than 25 W and none of these: a wrong model, or a law too calm",
}
