"""Everything that a person may change or order while gridzero runs, as rows.

Faces build their forms, words and entities from these rows (or from ``gridzero/settings``, which
carries them with the present values), so that a new row appears everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gridzero.domain.modes import EMPTY_PCT, FULL_PCT, NO_CAP_W, Mode, Strategy

MOST_POWER_W = NO_CAP_W
MOST_TARGET_W = 2_000.0
_MOST_GUARD_W = 500.0
_MOST_PEAK_W = 50_000.0
_MOST_RAMP_W_PER_S = 2_000.0
_LONGEST_NOTE = 200
MOST_TRIAL_W = 500.0
LONGEST_TRIAL_S = 15.0


class Kind(StrEnum):
    """What a value looks like. MOMENT: UTC in ISO 8601, or "" for none. SWITCH: on, off."""

    NUMBER = "number"
    CHOICE = "choice"
    SWITCH = "switch"
    TEXT = "text"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value that is kept over restarts.

    key: attribute of domain.modes.Wanted (``automatic`` is a view of ``mode``), and the topic
    ``gridzero/KEY/set``. low, high, step:
    of numbers, in unit; of texts high is the greatest length. options: of choices.
    """

    key: str
    title: str
    text: str
    kind: Kind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One order.

    key: the topic ``gridzero/KEY/set``. argument: what its payload may be, "" = it is not looked
    at. is_dangerous: a face asks before it sends it.
    """

    key: str
    title: str
    text: str
    argument: str = ""
    is_dangerous: bool = False


def _percent(key: str, title: str, text: str) -> Setting:
    return Setting(
        key=key,
        title=title,
        text=text,
        kind=Kind.NUMBER,
        unit="%",
        low=EMPTY_PCT,
        high=FULL_PCT,
        step=1.0,
    )


SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="mode",
        title="Mode",
        text="auto holds the grid at its target; hold rests at 0 W; off rests without balancing",
        kind=Kind.CHOICE,
        options=tuple(Mode),
    ),
    Setting(
        key="power_w",
        title="Power",
        text="power in the modes charge and discharge",
        kind=Kind.NUMBER,
        unit="W",
        low=0.0,
        high=MOST_POWER_W,
        step=10.0,
    ),
    Setting(
        key="target_w",
        title="Target",
        text="grid power to hold; above 0 buys",
        kind=Kind.NUMBER,
        unit="W",
        low=-MOST_TARGET_W,
        high=MOST_TARGET_W,
        step=5.0,
    ),
    Setting(
        key="export_guard_w",
        title="Export guard",
        text="while discharging, at least so much import is left to the grid; 0 = no guard",
        kind=Kind.NUMBER,
        unit="W",
        low=0.0,
        high=_MOST_GUARD_W,
        step=5.0,
    ),
    Setting(
        key="max_charge_w",
        title="Maximum charge",
        text="the battery is never charged with more, whatever asks for it",
        kind=Kind.NUMBER,
        unit="W",
        low=0.0,
        high=MOST_POWER_W,
        step=50.0,
    ),
    Setting(
        key="max_discharge_w",
        title="Maximum discharge",
        text="the battery never gives more, whatever asks for it",
        kind=Kind.NUMBER,
        unit="W",
        low=0.0,
        high=MOST_POWER_W,
        step=50.0,
    ),
    _percent("min_soc_pct", "Lowest charge", "no discharging at or below it, in any mode"),
    _percent("max_soc_pct", "Highest charge", "no charging at or above it but for a full charge"),
    _percent(
        "reserve_soc_pct",
        "Reserve",
        "mode auto does not discharge at or below it; mode discharge, and peaks, may use it",
    ),
    Setting(
        key="ramp_w_per_s",
        title="Ramp",
        text="power rises no faster than this and always falls at once; 0 = no ramp",
        kind=Kind.NUMBER,
        unit="W/s",
        low=0.0,
        high=_MOST_RAMP_W_PER_S,
        step=10.0,
    ),
    Setting(
        key="strategy",
        title="Strategy",
        text="self_use covers what the house needs; peak_shave only what exceeds the peak; tariff "
        "keeps energy for hours in which it is worth more",
        kind=Kind.CHOICE,
        options=tuple(Strategy),
    ),
    Setting(
        key="peak_w",
        title="Peak",
        text="import above which the strategy peak_shave discharges",
        kind=Kind.NUMBER,
        unit="W",
        low=0.0,
        high=_MOST_PEAK_W,
        step=100.0,
    ),
    Setting(
        key="automatic",
        title="Automatic",
        text="on is mode auto; off is mode hold",
        kind=Kind.SWITCH,
    ),
    Setting(
        key="allow_charge",
        title="Allow charging",
        text="off: the battery is not charged, whatever asks for it",
        kind=Kind.SWITCH,
    ),
    Setting(
        key="allow_discharge",
        title="Allow discharging",
        text="off: the battery is not discharged, whatever asks for it",
        kind=Kind.SWITCH,
    ),
    Setting(
        key="allow_grid_charge",
        title="Allow charging from the grid",
        text="off: only what the sun gives too much is stored, whatever asks for more",
        kind=Kind.SWITCH,
    ),
    Setting(
        key="ev_hold",
        title="Hold for the car",
        text="on: the battery does not discharge, so that it does not feed a car; charging goes on",
        kind=Kind.SWITCH,
    ),
    Setting(
        key="maintenance",
        title="Maintenance",
        text="on: 0 W both ways, no balancing, and alerts stay quiet",
        kind=Kind.SWITCH,
    ),
    Setting(
        key="override_until",
        title="Override until",
        text="mode returns to auto at this time; empty = it stays as it is",
        kind=Kind.MOMENT,
    ),
    Setting(
        key="override_note",
        title="Override note",
        text="why, for whoever looks; it goes when the override ends",
        kind=Kind.TEXT,
        high=_LONGEST_NOTE,
    ),
)

ACTIONS: tuple[Action, ...] = (
    Action(
        key="acknowledge",
        title="Acknowledge faults",
        text="ends latched faults whose cause is gone",
        argument="all, a fault's code, or code and subject",
    ),
    Action(
        key="identify",
        title="Test converters",
        text="tests with small steps how a converter follows",
        argument="a converter's name, all, or cancel",
    ),
    Action(
        key="balance",
        title="Balance now",
        text="balances outside the usual window for 6 hours",
        argument="now or stop",
    ),
    Action(
        key="full_charge",
        title="Full charge",
        text="in mode auto charges until full with what is allowed, for 24 hours at most",
        argument="start or stop",
    ),
    Action(
        key="soc_from_voltage",
        title="Charge from voltage",
        text="forgets the counted state of charge and begins anew from the voltage of the cells",
        is_dangerous=True,
    ),
    Action(
        key="soc_full",
        title="Battery is full",
        text="takes the battery for full; refused while its highest cell is not near full",
        is_dangerous=True,
    ),
    Action(
        key="clear_full",
        title="Charge again",
        text="lets a battery that was full be charged again before its cells have come down",
        is_dangerous=True,
    ),
    Action(
        key="flip_shunt",
        title="Flip the shunt",
        text="counts the current of the shunt the other way round; refused unless all converters "
        "rest",
        is_dangerous=True,
    ),
    Action(
        key="trial",
        title="Try a converter",
        text=f"in mode hold charges or discharges with up to {MOST_TRIAL_W:g} W for up to "
        f"{LONGEST_TRIAL_S:g} s, for commissioning",
        argument="charge or discharge, watts and seconds, or stop",
        is_dangerous=True,
    ),
    Action(
        key="outlook",
        title="Outlook",
        text="tells where the battery is heading; only with prices",
        argument="emptying, filling, unknown or auto",
    ),
    Action(
        key="reload",
        title="Reload the configuration",
        text="reads the configuration file again, takes what can change while it runs, and says "
        "what waits for a restart",
        is_dangerous=True,
    ),
    Action(
        key="restart",
        title="Restart gridzero",
        text="stops everything in order and starts it again",
        is_dangerous=True,
    ),
    Action(
        key="log",
        title="Log level",
        text="changes what is logged until the next start",
        argument="debug, info, warning or error",
    ),
    Action(
        key="trace",
        title="Trace a link",
        text="publishes what passes on a link for 10 s",
        argument="the name of a link, or stop",
    ),
)

SETTING_OF = {setting.key: setting for setting in SETTINGS}
ACTION_OF = {action.key: action for action in ACTIONS}
