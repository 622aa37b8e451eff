"""Runs test vectors (the shape of frames.yaml) through the codec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from gridzero.errors import FrameError
from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte import codec
from gridzero_drivers.vw_gte.balancing import cell_numbers, select_cells
from gridzero_drivers.vw_gte.options import VwGteOptions
from gridzero_drivers.vw_gte.status import Sensor

_KIND_OF_LAYOUT: Final = {
    "gte": "temperature",
    "13s": "temperature_13s",
    "meb": "temperature_meb",
    "meb_balance": "balance_meb",
}


def check_vector(vector: Mapping[str, Any]) -> str:
    """What the codec makes of a vector: "" when it is as expected, else what differs.

    A vector that does not have the shape is told, too. Raises nothing.
    """
    try:
        frame = _frame(vector["can_id"], vector["data_hex"], vector)
        if vector["direction"] == "rx":
            return _check_received(frame, vector["expect"])
        if vector["direction"] == "tx":
            return _check_sent(frame, vector["expect"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        return f"malformed vector: {type(error).__name__}: {error}"
    except FrameError as error:
        return f"the codec refuses: {error}"
    return f"malformed vector: direction is {vector['direction']!r}, not 'rx' or 'tx'"


def _frame(can_id: str, data_hex: str, vector: Mapping[str, Any]) -> CanFrame:
    return CanFrame(
        int(can_id, 16),
        bytes.fromhex(data_hex),
        is_extended=bool(vector["is_extended"]),
        is_remote=bool(vector.get("is_remote", False)),
    )


def _check_received(frame: CanFrame, expect: Mapping[str, Any]) -> str:
    kind = expect["kind"]
    if kind == "ignored":
        got = codec.decode(frame, _series_cells(expect, 12))
        return "" if got is None else f"has to be ignored, but is decoded: {got}"
    if kind == "module_aggregate":
        return _differences(expect, _aggregate(frame, expect))
    if kind == "cell_voltages":
        return _differences(expect, _voltages(frame, expect))
    return _differences(expect, _status(frame))


def _series_cells(expect: Mapping[str, Any], default: int) -> int:
    return int(expect.get("settings", {}).get("series_cells", default))


def _voltages(frame: CanFrame, expect: Mapping[str, Any]) -> dict[str, Any]:
    got = codec.decode(frame, _series_cells(expect, 13 if expect["frame"] == 3 else 12))
    if not isinstance(got, codec.Voltages):
        return {"kind": "ignored"}
    bits = int.from_bytes(frame.data, "little")
    cells = {
        str(number): {
            "raw": bits >> 12 * (1 + slot) & 0xFFF,
            "mV": _millivolts(cell_v),
            "valid": cell_v is not None,
        }
        for slot, (number, cell_v) in enumerate(got.cells.items())
    }
    actual = {
        "kind": "cell_voltages",
        "module": got.module,
        "frame": got.frame_index,
        "cells": cells,
    }
    if "diag" in expect:
        actual["diag"] = codec.diagnostics(frame.data)._asdict()
    return actual


def _millivolts(cell_v: float | None) -> int | None:
    return None if cell_v is None else round(cell_v * 1000)


def _aggregate(frame: CanFrame, expect: Mapping[str, Any]) -> dict[str, Any]:
    cells_mv: dict[int, int | None] = {}
    modules = set()
    context = (
        _frame(can_id, data_hex, {"is_extended": int(can_id, 16) > 0x7FF})
        for can_id, data_hex in expect["context_frames"]
    )
    for received in chain(context, (frame,)):
        got = codec.decode(received, _series_cells(expect, len(expect["cells_mV"])))
        if isinstance(got, codec.Voltages):
            modules.add(got.module)
            cells_mv.update({number: _millivolts(v) for number, v in got.cells.items()})
    known = [cell for cell in cells_mv.values() if cell is not None]
    return {
        "kind": "module_aggregate",
        "module": modules.pop() if len(modules) == 1 else sorted(modules),
        "cells_mV": [cells_mv[number] for number in sorted(cells_mv)],
        "cell_count": len(known),
        "module_mV": sum(known),
        "low_mV": min(known, default=None),
        "high_mV": max(known, default=None),
    }


def _status(frame: CanFrame) -> dict[str, Any]:
    got = codec.decode(frame)
    if not isinstance(got, codec.ModuleStatus):
        return {"kind": "ignored" if got is None else "cell_voltages"}
    status = got.status
    actual: dict[str, Any] = {"kind": _KIND_OF_LAYOUT[status.layout], "module": got.module}
    if status.sensors:
        tell = _gte_sensor if status.layout == "gte" else _sensor
        actual["temps"] = [tell(index, s) for index, s in enumerate(status.sensors, start=1)]
    if status.bleeding is not None:
        actual["balance_mask"] = status.bleeding
        actual["balancing_cells"] = cell_numbers(status.bleeding)
    return actual


def _gte_sensor(index: int, sensor: Sensor) -> dict[str, Any]:
    return {
        "index": index,
        "raw": sensor.raw,
        "status": sensor.state.value,
        "valid": sensor.temp is not None,
        "c_offset_40": sensor.temp and sensor.temp.high_c,
        "c_offset_43": sensor.temp and sensor.temp.low_c,
    }


def _sensor(index: int, sensor: Sensor) -> dict[str, Any]:
    temp_c = sensor.temp and sensor.temp.high_c
    return {"index": index, "raw": sensor.raw, "valid": sensor.temp is not None, "c": temp_c}


def _check_sent(frame: CanFrame, expect: Mapping[str, Any]) -> str:
    command = expect["settings"].get("command", "balance")
    if command not in _SENT:
        return f"malformed vector: unknown command {command!r}"
    return _SENT[command](frame, expect)


def _check_poll(frame: CanFrame, expect: Mapping[str, Any]) -> str:
    default_s = VwGteOptions.model_fields["poll_period_s"].default
    actual = {"period_ms": round(default_s * 1000)} if "period_ms" in expect else {}
    return _frame_difference(frame, codec.POLL_PAIR, expect["position"]) or _differences(
        expect, actual
    )


def _check_end(frame: CanFrame, expect: Mapping[str, Any]) -> str:
    settings = expect["settings"]
    thirteen = range(1, 13) if settings.get("series_cells") == 13 else ()
    frames = codec.end_of_balancing(variant_of_3=settings["variant"], thirteen=thirteen)
    wanted = [(int(can_id, 16), bytes.fromhex(data_hex)) for can_id, data_hex in expect["sequence"]]
    if wanted != [(sent.can_id, sent.data) for sent in frames]:
        return f"sequence: expected {_text(expect['sequence'])}, got {_hex(frames)}"
    return _frame_difference(frame, frames, 1)


def _check_balance(frame: CanFrame, expect: Mapping[str, Any]) -> str:
    settings = expect["settings"]
    cells = select_cells(settings["cells_mV"], settings["hysteresis_mV"])
    pair = codec.balance_pair(
        settings["module"],
        cells,
        variant=settings["variant"],
        series_cells=settings["series_cells"],
        minutes=2 * settings["duration_byte"],
    )
    difference = _frame_difference(frame, pair, expect["frame_in_pair"])
    return difference or _differences(expect, {"balance_cells": cell_numbers(cells)})


_SENT: Final[dict[str, Callable[[CanFrame, Mapping[str, Any]], str]]] = {
    "poll": _check_poll,
    "end_balancing": _check_end,
    "balance": _check_balance,
}


def _frame_difference(wanted: CanFrame, frames: Sequence[CanFrame], position: int) -> str:
    if not 1 <= position <= len(frames):
        return f"malformed vector: position {position} of {len(frames)} frames"
    sent = frames[position - 1]
    if sent == wanted:
        return ""
    return f"frame: expected {_hex([wanted])}, got {_hex([sent])}"


def _hex(frames: Sequence[CanFrame]) -> str:
    return " ".join(
        f"0x{f.can_id:X}{'x' if f.is_extended else ''}:{f.data.hex().upper()}" for f in frames
    )


def _differences(expect: Mapping[str, Any], actual: Mapping[str, Any]) -> str:
    """Each value that the codec gives must be expected, and equal."""
    return "; ".join(
        f"{key}: expected {_text(expect.get(key))}, got {_text(value)}"
        for key, value in actual.items()
        if expect.get(key) != value
    )


def _text(value: object) -> str:
    return "nothing" if value is None else repr(value)
