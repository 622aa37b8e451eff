"""Everything that a person may change or order while gridzero runs, as rows.

Faces build their forms, words and entities from these rows (or from ``gridzero/settings``, which
carries them with the present values), so that a new row appears everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gridzero.domain.modes import Mode

MOST_POWER_W = 20_000.0
MOST_TARGET_W = 2_000.0


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

    key: attribute of domain.modes.Wanted, and the topic ``gridzero/KEY/set``. low, high, step:
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
        key="outlook",
        title="Outlook",
        text="tells where the battery is heading; only with prices",
        argument="emptying, filling, unknown or auto",
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
