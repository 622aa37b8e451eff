"""What is counted of energy and money, and what each count is called."""

from __future__ import annotations

from enum import StrEnum


class Counted(StrEnum):
    """Counts that only ever rise. The value is the key in MQTT and in the file.

    docs/energy.md says what each one rests on. AC, unless the name says dc.
    """

    GRID_IMPORT = "grid_import_kwh"
    GRID_EXPORT = "grid_export_kwh"
    CHARGED = "battery_charged_kwh"
    DISCHARGED = "battery_discharged_kwh"
    DC_IN = "battery_in_dc_kwh"
    DC_OUT = "battery_out_dc_kwh"
    HOUSE = "house_kwh"
    HOUSE_FROM_BATTERY = "house_from_battery_kwh"
    SURPLUS = "surplus_kwh"
    CHARGED_FROM_SURPLUS = "charged_from_surplus_kwh"
    CHARGED_FROM_GRID = "charged_from_grid_kwh"
    PRODUCED = "produced_kwh"
    CONSUMED = "consumed_kwh"
    AVOIDABLE_IMPORT = "avoidable_import_kwh"
    AVOIDABLE_EXPORT = "avoidable_export_kwh"
    KNOWN = "known_h"
    UNKNOWN = "unknown_h"


class Money(StrEnum):
    """Amounts in hundredths of the currency: they rise and fall, and need prices."""

    SAVINGS = "savings_ct"
    IMPORT_COST = "import_cost_ct"
    EXPORT_INCOME = "export_income_ct"


COUNTED: dict[Counted, str] = {
    Counted.GRID_IMPORT: "bought from the grid",
    Counted.GRID_EXPORT: "sold to the grid",
    Counted.CHARGED: "taken by the chargers",
    Counted.DISCHARGED: "given by the inverters",
    Counted.DC_IN: "put into the cells, as shunt and cells measure it",
    Counted.DC_OUT: "taken out of the cells, as shunt and cells measure it",
    Counted.HOUSE: "what the house drew beyond what it made itself at that moment",
    Counted.HOUSE_FROM_BATTERY: "the part of it that the battery gave",
    Counted.SURPLUS: "what the house made beyond what it drew at that moment",
    Counted.CHARGED_FROM_SURPLUS: "the part of it that went into the battery",
    Counted.CHARGED_FROM_GRID: "what went into the battery while nothing was left over",
    Counted.PRODUCED: "what the panels made",
    Counted.CONSUMED: "what the house used, whatever gave it",
    Counted.AVOIDABLE_IMPORT: "bought although the converters could have given it",
    Counted.AVOIDABLE_EXPORT: "sold although the converters could have taken it",
    Counted.KNOWN: "hours for which the meter could be believed",
    Counted.UNKNOWN: "hours for which nobody knows: they count as no energy",
}

MONEY: dict[Money, str] = {
    Money.SAVINGS: "what the grid would have cost without the battery, less what it did cost",
    Money.IMPORT_COST: "what was paid for what was bought",
    Money.EXPORT_INCOME: "what was earned by what was sold",
}
