"""Why the battery does what it does: one code per decision, and the words for it."""

from __future__ import annotations

from enum import StrEnum


class Because(StrEnum):
    """The one reason that shaped a decision most. The value is the code in logs and MQTT."""

    COVERING_LOAD = "covering_load"
    STORING_SURPLUS = "storing_surplus"
    BALANCED = "balanced"
    MODE_CHARGE = "mode_charge"
    MODE_DISCHARGE = "mode_discharge"
    MODE_HOLD = "mode_hold"
    MODE_OFF = "mode_off"
    TARGET_TOPIC = "target_topic"
    FULL_CHARGE = "full_charge"
    PEAK_SHAVING = "peak_shaving"
    BELOW_PEAK = "below_peak"
    PEAK_RESERVE = "peak_reserve"
    TARIFF_WAITS = "tariff_waits"
    TARIFF_BUYS = "tariff_buys"
    EXPORT_GUARD = "export_guard"
    GRID_CHARGE_NOT_ALLOWED = "grid_charge_not_allowed"
    IDENTIFYING = "identifying"
    ZERO_CROSS_HOLD = "zero_cross_hold"
    KEEPING_WARM = "keeping_warm"
    DROP_TO_ZERO = "drop_to_zero"
    PERIODIC_LOAD = "periodic_load"
    BELOW_MINIMUM = "below_minimum"
    RESTART_DWELL = "restart_dwell"
    NOT_WORTH_IT = "not_worth_it"
    RAMP = "ramp"
    MAINTENANCE = "maintenance"
    CHARGE_NOT_ALLOWED = "charge_not_allowed"
    DISCHARGE_NOT_ALLOWED = "discharge_not_allowed"
    EV_HOLD = "ev_hold"
    MAX_CHARGE = "max_charge"
    MAX_DISCHARGE = "max_discharge"
    MIN_SOC = "min_soc"
    RESERVE_SOC = "reserve_soc"
    MAX_SOC = "max_soc"
    SOC_UNKNOWN = "soc_unknown"
    INVERTER_MAXIMUM = "inverter_maximum"
    CHARGER_MAXIMUM = "charger_maximum"
    NOT_FOLLOWING = "not_following"
    NO_INVERTER = "no_inverter"
    NO_CHARGER = "no_charger"
    DC_WINDOW = "dc_window"
    METER_UNKNOWN = "meter_unknown"
    METER_LATE = "meter_late"
    METER_LOST = "meter_lost"
    BATTERY_UNKNOWN = "battery_unknown"
    BATTERY_STALE = "battery_stale"
    TEMPERATURE_UNKNOWN = "temperature_unknown"
    CELL_IMPLAUSIBLE = "cell_implausible"
    UNEXPECTED_MODULE = "unexpected_module"
    FAULT_LATCHED = "fault_latched"
    CONTACTOR_OPEN = "contactor_open"
    CELL_HIGH = "cell_high"
    CELL_FULL = "cell_full"
    CELL_OVER = "cell_over"
    CELL_LOW = "cell_low"
    CELL_EMPTY = "cell_empty"
    CELL_UNDER = "cell_under"
    SOC_HIGH = "soc_high"
    SOC_LOW = "soc_low"
    TOO_HOT = "too_hot"
    TOO_COLD = "too_cold"
    CURRENT_LIMIT = "current_limit"
    OVER_CURRENT = "over_current"
    PROTECTED = "protected"
    TRIPPED = "tripped"
    RECOVERING = "recovering"
    SHUNT_STALE = "shunt_stale"
    CHARGER_SILENT = "charger_silent"
    CHARGER_ACTIVE = "charger_active"
    METER_WRONG = "meter_wrong"
    STARTING = "starting"
    STOPPING = "stopping"


class WhyNot(StrEnum):
    """Why a converter does no work now. The value is the code in MQTT."""

    SILENT = "silent"
    TAKEN_OUT = "taken_out"
    FAULT = "fault"
    DC_LOW = "dc_low"
    DC_HIGH = "dc_high"
    RESTING = "resting"
    NOT_NEEDED = "not_needed"


REASONS: dict[Because, str] = {
    Because.COVERING_LOAD: "the battery covers what the house needs",
    Because.STORING_SURPLUS: "the battery takes what the sun gives too much",
    Because.BALANCED: "the grid is at its target without the battery",
    Because.MODE_CHARGE: "you asked for a fixed charge power",
    Because.MODE_DISCHARGE: "you asked for a fixed discharge power",
    Because.MODE_HOLD: "you asked the battery to rest",
    Because.MODE_OFF: "you switched it off",
    Because.TARGET_TOPIC: "the target topic asks for a charge power",
    Because.FULL_CHARGE: "you asked for a full charge",
    Because.PEAK_SHAVING: "the battery covers what the house draws above the peak that you set",
    Because.BELOW_PEAK: "the house draws less than the peak that you set",
    Because.PEAK_RESERVE: "the battery is brought back to its reserve, well below the peak",
    Because.TARIFF_WAITS: "stored energy will be worth more than what the grid asks now",
    Because.TARIFF_BUYS: "energy is cheaper now than what it will be worth, losses included",
    Because.EXPORT_GUARD: "so little is left to the grid, as your guard against export asks",
    Because.GRID_CHARGE_NOT_ALLOWED: "there is no surplus, and you do not allow to charge from "
    "the grid",
    Because.IDENTIFYING: "a converter is being tested with small steps",
    Because.ZERO_CROSS_HOLD: "the surplus has not yet been worth a start of the charger",
    Because.KEEPING_WARM: "the charger idles: a new start would cost more than waiting",
    Because.DROP_TO_ZERO: "zero for a moment costs less than a slow ramp down",
    Because.PERIODIC_LOAD: "a load comes and goes at a steady beat and is met half-way",
    Because.BELOW_MINIMUM: "the wanted power is below what the converter can hold",
    Because.RESTART_DWELL: "the charger stopped a moment ago and rests before it starts again",
    Because.NOT_WORTH_IT: "so little for so short a time is less than a start would lose",
    Because.RAMP: "power rises no faster than you allow",
    Because.MAINTENANCE: "you switched maintenance on",
    Because.CHARGE_NOT_ALLOWED: "you do not allow charging",
    Because.DISCHARGE_NOT_ALLOWED: "you do not allow discharging",
    Because.EV_HOLD: "the battery does not feed the car: discharging is held",
    Because.MAX_CHARGE: "you do not allow to charge with more",
    Because.MAX_DISCHARGE: "you do not allow to discharge with more",
    Because.MIN_SOC: "the state of charge is at the lowest that you allow",
    Because.RESERVE_SOC: "the rest of the charge is your reserve",
    Because.MAX_SOC: "the state of charge is at the highest that you allow",
    Because.SOC_UNKNOWN: "the state of charge is not known, and you set a bound to it",
    Because.INVERTER_MAXIMUM: "the inverters give all they can",
    Because.CHARGER_MAXIMUM: "the chargers take all they can",
    Because.NOT_FOLLOWING: "a converter does not give what it is told",
    Because.NO_INVERTER: "no inverter can be used now",
    Because.NO_CHARGER: "no charger can be used now",
    Because.DC_WINDOW: "the battery voltage is outside what the inverters or chargers work with",
    Because.METER_UNKNOWN: "the meter has not reported yet",
    Because.METER_LATE: "the meter is late; power falls until it reports again",
    Because.METER_LOST: "the meter does not report",
    Because.BATTERY_UNKNOWN: "the battery has not reported yet",
    Because.BATTERY_STALE: "a battery module is silent",
    Because.TEMPERATURE_UNKNOWN: "the temperature of a battery module is not known",
    Because.CELL_IMPLAUSIBLE: "a cell reads something that cannot be",
    Because.UNEXPECTED_MODULE: "a module answers that is not in the configuration",
    Because.CONTACTOR_OPEN: "the battery's contactor is open",
    Because.FAULT_LATCHED: "a fault stands that a person has to look at and to acknowledge",
    Because.CELL_HIGH: "the highest cell comes near full",
    Because.CELL_FULL: "the highest cell is full",
    Because.CELL_OVER: "a cell is above its hard limit",
    Because.CELL_LOW: "the lowest cell comes near empty",
    Because.CELL_EMPTY: "the lowest cell is empty",
    Because.CELL_UNDER: "a cell is below its hard limit",
    Because.SOC_HIGH: "the state of charge comes near full",
    Because.SOC_LOW: "the state of charge comes near empty",
    Because.TOO_HOT: "the battery is hot",
    Because.TOO_COLD: "the battery is cold",
    Because.CURRENT_LIMIT: "the battery gives or takes all the current it may",
    Because.OVER_CURRENT: "the battery current was above its limit",
    Because.PROTECTED: "a protection of the battery refuses this direction; see the faults",
    Because.TRIPPED: "a protection of the battery has tripped; see the faults",
    Because.RECOVERING: "a limit is lifted slowly after it acted",
    Because.SHUNT_STALE: "the battery current is not known",
    Because.CHARGER_SILENT: "the rectifier does not answer",
    Because.CHARGER_ACTIVE: "a rectifier still charges, or may charge unseen",
    Because.METER_WRONG: "the meter does not show what the battery does",
    Because.STARTING: "gridzero is starting",
    Because.STOPPING: "gridzero is stopping",
}

WHY_NOT: dict[WhyNot, str] = {
    WhyNot.SILENT: "it does not answer",
    WhyNot.TAKEN_OUT: "it was taken out because it did not do what it was told",
    WhyNot.FAULT: "it says itself that it does not deliver, and another can",
    WhyNot.DC_LOW: "the battery voltage is too low for it",
    WhyNot.DC_HIGH: "the battery voltage is too high for it",
    WhyNot.RESTING: "it stopped a moment ago and rests before it starts again",
    WhyNot.NOT_NEEDED: "the others do it with less loss, or there is nothing to do",
}
