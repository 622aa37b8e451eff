"""Runs shared test vectors through the codecs: decode, compare, and encode again where we send.

Shape of a vector: soyosource protocol notes, section 5. Voltages, currents, frequencies and
temperatures compare exactly after rounding to 0.1, powers to 0.01.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gridzero_drivers.soyosource.codec import (
    QUERY,
    Demand,
    Refusal,
    Status,
    demand_per_unit_w,
    family_checksum,
    implausible_fields,
    parse_demand,
    parse_query,
    parse_status,
    status_checksum,
    status_name,
)
from gridzero_drivers.soyosource.display_codec import (
    DisplaySettings,
    DisplayStatus,
    Flags,
    Generation,
    parse_display,
)
from gridzero_drivers.soyosource.display_requests import DisplayRequest, parse_display_request
from gridzero_drivers.soyosource.stream import DEMAND, STATUS, STATUS_QUERY, FrameStream

Facts = dict[str, Any]

_POLICY_KEYS: Final = ("request_total_w", "units", "min_per_unit_w", "max_per_unit_w", "rounding")


def check_vector(vector: Mapping[str, Any]) -> str:
    """Empty when the codec agrees with the vector, else what differs."""
    expect: Mapping[str, Any] = vector["expect"]
    check = _CHECKS.get(expect["frame"])
    if check is None:
        return f"no codec for {expect['frame']!r}"
    produced = check(bytes.fromhex(vector["data_hex"]), expect)
    differing = [
        f"{key}: {produced.get(key, 'absent')!r} instead of {expect.get(key, 'absent')!r}"
        for key in sorted(expect.keys() | produced.keys())
        if key not in produced or key not in expect or produced[key] != expect[key]
    ]
    return "; ".join(differing)


def _refused(reason: Refusal, data: bytes, expected_checksum: int) -> Facts:
    facts: Facts = {"valid": False, "reason": str(reason)}
    if reason is Refusal.CHECKSUM:
        facts |= {"received_checksum": data[-1], "expected_checksum": expected_checksum}
    return facts


def _demand(data: bytes, expect: Mapping[str, Any]) -> Facts:
    facts: Facts = {"frame": "rs485_power_demand"}
    demand = parse_demand(data)
    if isinstance(demand, Refusal):
        facts |= _refused(demand, data, family_checksum(data))
        if demand is Refusal.CHECKSUM:
            facts["payload_w"] = data[4] << 8 | data[5]
        return facts
    facts |= {"valid": True, "power_demand_w": demand.power_w, "checksum": data[7]}
    if demand.to_bytes() != data:
        facts["encoded"] = demand.to_bytes().hex()
    return facts | _policy(expect)


def _policy(expect: Mapping[str, Any]) -> Facts:
    """The request of a policy vector, with what our policy makes of it."""
    if "request_total_w" not in expect:
        return {}
    asked_w = demand_per_unit_w(
        expect["request_total_w"],
        units=expect["units"],
        min_per_unit_w=expect["min_per_unit_w"],
        max_per_unit_w=expect["max_per_unit_w"],
    )
    return {key: expect[key] for key in _POLICY_KEYS} | {
        "power_demand_w": asked_w,
        "checksum": Demand(asked_w).to_bytes()[7],
    }


def _query(data: bytes, _expect: Mapping[str, Any]) -> Facts:
    query = parse_query(data)
    facts: Facts = {"frame": "rs485_status_query"}
    if isinstance(query, Refusal):
        return facts | _refused(query, data, QUERY[-1])
    return facts | {"valid": query.to_bytes() == data}


def _status(data: bytes, _expect: Mapping[str, Any]) -> Facts:
    status = parse_status(data)
    if not isinstance(status, Refusal):
        return _status_facts(status, data[14]) | _reencoded(status, data)
    facts: Facts = {"frame": "rs485_status"}
    facts |= _refused(status, data, status_checksum(data))
    if status is Refusal.IMPLAUSIBLE:
        facts |= {
            "fields": list(implausible_fields(Status.from_bytes(data))),
            "checksum_ok": True,
        }
    return facts


def _reencoded(status: Status, data: bytes) -> Facts:
    """Empty when all but the checksum, which has two accepted forms, comes out again."""
    encoded = status.to_bytes()
    return {} if encoded[:-1] == data[:-1] else {"encoded": encoded.hex()}


def _status_facts(status: Status, checksum: int) -> Facts:
    return {
        "frame": "rs485_status",
        "valid": True,
        "operation_status": status.code,
        "operation_status_name": status_name(status.code),
        "battery_voltage": status.battery_v,
        "battery_current": status.battery_a,
        "battery_power": round(status.battery_w, 2),
        "grid_voltage": status.grid_v,
        "grid_frequency": status.grid_hz,
        "temperature": status.temp_c,
        "checksum": checksum,
    }


def _stream(data: bytes, _expect: Mapping[str, Any]) -> Facts:
    stream: FrameStream[Any] = FrameStream((STATUS, DEMAND, STATUS_QUERY))
    found = stream.feed(data)
    replies = [frame for frame in found if isinstance(frame, Status)]
    # a vector counts echoes of host frames as discarded, whole or not
    echoed_bytes = (len(found) - len(replies)) * len(QUERY)
    pending = stream.pending if stream.pending[:1] == STATUS.head[:1] else b""
    echoed_bytes += len(stream.pending) - len(pending)
    return {
        "frame": "rs485_stream",
        "frames": [_status_facts(reply, reply.to_bytes()[14]) for reply in replies],
        "discarded_bytes": stream.discarded_bytes + echoed_bytes,
        "pending_bytes": len(pending),
    }


def _request(data: bytes, expect: Mapping[str, Any]) -> Facts:
    request = parse_display_request(data)
    facts: Facts = {"frame": expect["frame"], "generation": expect["generation"]}
    if isinstance(request, Refusal):
        return facts | _refused(request, data, family_checksum(data))
    return facts | _known(_request_facts(request))


def _request_facts(request: DisplayRequest) -> Facts:
    return {
        "valid": True,
        "function": request.function,
        "checksum": request.checksum,
        "kind": request.kind,
        "start_voltage": request.start_v,
        "shutdown_voltage": request.stop_v,
        "output_limit_w": request.limit_w,
        "grid_frequency": request.grid_hz,
        "start_delay_s": request.start_delay_s,
        "mode_code": request.mode_code,
        "mode": request.mode,
    }


def _display(data: bytes, expect: Mapping[str, Any]) -> Facts:
    parsed = parse_display(data, Generation(expect["generation"]))
    generation = {"generation": expect["generation"]}
    if isinstance(parsed, DisplayStatus):
        return generation | _known(_display_status_facts(parsed))
    if isinstance(parsed, DisplaySettings):
        return generation | _known(_display_settings_facts(parsed))
    # a refused frame has no kind of its own
    facts: Facts = generation | {"frame": expect["frame"]}
    return facts | _refused(parsed, data, family_checksum(data))


def _flag_facts(flags: Flags) -> Facts:
    return {
        "valid": True,
        "variant": flags.variant,
        "operation_mode_code": flags.mode_code,
        "operation_mode": flags.mode,
        "operation_status": flags.status,
        "limiter_connected": flags.limiter_connected,
        "error_bits": flags.error_bits,
        "errors": list(flags.errors),
        "checksum": flags.checksum,
    }


def _display_status_facts(status: DisplayStatus) -> Facts:
    return _flag_facts(status.flags) | {
        "frame": "display_status",
        "rs485_demand_word": status.rs485_demand_w,
        "battery_voltage": status.battery_v,
        "battery_current": status.battery_a,
        "battery_power": round(status.battery_w, 2),
        "grid_voltage": status.grid_v,
        "grid_frequency": status.grid_hz,
        "temperature": status.temp_c,
        "output_power_w": status.output_w,
        "total_energy_kwh": status.energy_kwh,
    }


def _display_settings_facts(settings: DisplaySettings) -> Facts:
    return _flag_facts(settings.flags) | {
        "frame": "display_settings",
        "model_power_w": settings.model_w,
        "battery_system_v": settings.system_v,
        "start_voltage": settings.start_v,
        "shutdown_voltage": settings.stop_v,
        "output_limit_w": settings.limit_w,
        "start_delay_s": settings.start_delay_s,
        "grid_voltage": settings.grid_v,
        "grid_frequency": settings.grid_hz,
        "pv_min_voltage": settings.pv_min_v,
        "pv_max_voltage": settings.pv_max_v,
    }


def _known(facts: Facts) -> Facts:
    return {key: value for key, value in facts.items() if value is not None}


_CHECKS: Final[Mapping[str, Callable[[bytes, Mapping[str, Any]], Facts]]] = {
    "rs485_power_demand": _demand,
    "rs485_status_query": _query,
    "rs485_status": _status,
    "rs485_stream": _stream,
    "display_request": _request,
    "display_status": _display,
    "display_settings": _display,
    "display": _display,
}
