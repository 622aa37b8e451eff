"""Runs one published test vector through the codec."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48 import requests, stored
from gridzero_drivers.vertiv_r48.codec import (
    QUANTITIES,
    Ack,
    Broadcast,
    Message,
    Parameter,
    Refusal,
    Status,
    Value,
    decode,
)
from gridzero_drivers.vertiv_r48.ids import COMPAT_ID, EVERY_MODULE_ID, request_id
from gridzero_drivers.vertiv_r48.status import status_flags

_Wanted = Mapping[str, Any]


def check_vector(vector: Mapping[str, Any]) -> str:
    """What differs, or "". tx: encoding ``expect`` gives the frame; rx: decoding gives expect."""
    frame = CanFrame(
        int(vector["can_id"], 16), bytes.fromhex(vector["data_hex"]), vector["is_extended"]
    )
    if vector["direction"] == "tx":
        return _compare_frames(_encode(vector["expect"]), frame)
    return _compare_facts(_decode(frame), vector["expect"])


def _encode(wanted: _Wanted) -> CanFrame:
    return _ENCODERS[wanted["command"]](_target(wanted), wanted)


def _target(wanted: _Wanted) -> int:
    target = wanted.get("target", "broadcast")
    if target == "broadcast":
        return EVERY_MODULE_ID
    return COMPAT_ID if target == "compat" else request_id(target)


def _voltage(can_id: int, wanted: _Wanted) -> CanFrame:
    write = stored.stored_volts if wanted["persistent"] else requests.online_volts
    return write(can_id, wanted["volts"])


def _limit(can_id: int, wanted: _Wanted) -> CanFrame:
    write = stored.stored_limit if wanted["persistent"] else requests.online_limit
    return write(can_id, wanted["fraction"])


def _amps(can_id: int, wanted: _Wanted) -> CanFrame:
    fraction = requests.fraction_of(wanted["amps"], wanted["max_amps"] * 48.0)
    return _limit(can_id, {**wanted, "fraction": fraction})


def _switch(parameter: Parameter) -> Callable[[int, _Wanted], CanFrame]:
    return lambda can_id, wanted: stored.switch(can_id, parameter, on=wanted["enabled"])


def _control(_: int, wanted: _Wanted) -> CanFrame:
    switches = {name: wanted[name] for name in ("ac_off", "dc_off", "fan_full", "led_flash")}
    return requests.control(wanted["target"], **switches)


_ENCODERS: dict[str, Callable[[int, _Wanted], CanFrame]] = {
    "set_voltage": _voltage,
    "set_current_limit": _limit,
    "set_current_amps": _amps,
    "set_ac_input_limit": lambda can_id, wanted: requests.ac_limit(can_id, wanted["amps"]),
    "set_walk_in": _switch(Parameter.WALK_IN),
    "set_walk_in_time": lambda can_id, wanted: stored.walk_in_time(can_id, wanted["seconds"]),
    "set_restart_after_overvoltage": _switch(Parameter.RESTART_AFTER_OVERVOLTAGE),
    "set_fan_full": _switch(Parameter.FAN_FULL),
    "control": _control,
    "read": lambda can_id, wanted: requests.read(can_id, wanted["parameter"]),
    "read_all": lambda can_id, wanted: requests.read_group(
        can_id, filler=bytes.fromhex(wanted["filler_hex"])
    ),
    "identify_start": lambda _id, _wanted: requests.identify_start(),
    "read_info_block": lambda can_id, _: requests.read_info(can_id),
}


def _decode(frame: CanFrame) -> dict[str, Any]:
    try:
        message = decode(frame)
    except FrameError as error:
        return {"kind": "bad_frame", "what": error.what}
    if message is None:
        return {"kind": "ignore"}
    return _facts(message)


def _facts(message: Message) -> dict[str, Any]:
    if isinstance(message, Broadcast):
        facts: dict[str, Any] = {
            "kind": "module_broadcast",
            "module": message.module,
            "message_type": message.message_type,
        }
        if message.identity is not None:
            facts["identity_hex"] = message.identity.hex().upper()
        return facts
    return {
        "module": message.module,
        "more": message.more,
        "parameter": message.parameter,
        "error_code": message.error_code,
        **_content(message),
    }


def _content(message: Value | Status | Ack | Refusal) -> dict[str, Any]:
    if isinstance(message, Value):
        quantity = QUANTITIES.get(message.parameter)
        return {"kind": "value", "quantity": quantity, "value": message.value}
    if isinstance(message, Status):
        return {"kind": "status", "flags": sorted(status_flags(message.word))}
    return {"kind": "error" if isinstance(message, Refusal) else "write_ack"}


def _compare_frames(made: CanFrame, wanted: CanFrame) -> str:
    if made == wanted:
        return ""
    return (
        f"made {made.can_id:08X} {made.data.hex().upper()}, "
        f"wanted {wanted.can_id:08X} {wanted.data.hex().upper()}"
    )


def _compare_facts(made: Mapping[str, Any], wanted: _Wanted) -> str:
    names = [*wanted, *(name for name in made if name not in wanted)]
    return "; ".join(
        f"{name}: made {made.get(name)!r}, wanted {wanted.get(name)!r}"
        for name in names
        if not _same(made.get(name), wanted.get(name))
    )


def _same(made: Any, wanted: Any) -> bool:
    if isinstance(made, float) and isinstance(wanted, int | float):
        return math.isclose(made, wanted, rel_tol=1e-6)
    return bool(made == wanted)
