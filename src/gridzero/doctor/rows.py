"""Everything that the doctor looks at, in the order in which it is told."""

from __future__ import annotations

from gridzero.doctor import can_rows, crystal_rows, machine_rows, port_rows
from gridzero.doctor.evidence import Evidence
from gridzero.doctor.verdict import Finding, Row

ROWS: tuple[Row, ...] = (
    Row("file", machine_rows.file),
    Row("clock", machine_rows.clock),
    Row("disk", machine_rows.disk),
    Row("programs", machine_rows.programs),
    Row("instances", machine_rows.alone),
    Row("can interface", can_rows.present),
    Row("can up", can_rows.up),
    Row("can controller", can_rows.readable),
    Row("can bit rate", can_rows.bitrate),
    Row("can restart", can_rows.restart),
    Row("can queue", can_rows.queue),
    Row("can state", can_rows.state),
    Row("can counters", can_rows.counters),
    Row("can crystal", crystal_rows.oscillator),
    Row("overlays", crystal_rows.overlays),
    Row("device", port_rows.present),
    Row("device name", port_rows.stable),
    Row("permission", port_rows.permitted),
    Row("device free", port_rows.free),
    Row("rs485", port_rows.rs485),
    Row("i2c", port_rows.sensors),
    Row("shunt zero", port_rows.shunt),
    Row("watchdog", port_rows.watchdog),
    Row("broker", machine_rows.broker),
    Row("gridzero", machine_rows.running),
    Row("home assistant", machine_rows.home_assistant),
)


def examine(evidence: Evidence) -> tuple[Finding, ...]:
    """Every verdict of every row."""
    return tuple(Finding(row.name, verdict) for row in ROWS for verdict in row.look(evidence))
