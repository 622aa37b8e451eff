"""What the configuration says about one RS485 port with SoyoSource inverters on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from gridzero.domain.converters import DcWindow
from gridzero.ports.plugin import Options

# DC power drawn is about demand / ratio, measured on a 48 V and a 24 V unit (section 3.2).
_DEMAND_PER_DC_48_V: Final = 0.89
_DEMAND_PER_DC_24_V: Final = 0.87

# Battery windows (section 3.3): the lowest stop and start settings in any capture. Those of 36, 72
# and 96 V units are in no capture, so they have none here; the upper end is that of the DC input
# in PV use, at 24 V the lower of two that are named.
_WINDOWS: Final = {
    24: DcWindow(stop_v=21.0, start_v=22.0, max_v=45.0),
    36: DcWindow(max_v=62.0),
    48: DcWindow(stop_v=43.0, start_v=44.0, max_v=90.0),
    72: DcWindow(max_v=130.0),
    96: DcWindow(max_v=180.0),
}


class SoyosourceOptions(Options):
    """One device section. Units in the names; powers are AC.

    Every unit on a port obeys every demand, so all units of one section are one converter.
    """

    driver: Literal["soyosource"] = "soyosource"
    link: str = Field(min_length=1, description="name of a serial link, 4800 baud 8N1")
    units: int = Field(
        default=1, ge=1, le=8, description="inverters on this port, 1..8; the demand is divided"
    )
    max_w: int = Field(
        default=900, ge=50, le=2500, description="largest demand per unit, W, 50..2500"
    )
    min_w: int = Field(
        default=27,
        ge=9,
        le=500,
        description="smallest demand per unit, W, 9..500; below it 0 is sent",
    )
    # not the meter's own 0.5 s: a repeat just before a message would hold its change for 250 ms
    send_period_s: float = Field(
        default=0.75,
        ge=0.25,
        le=1.0,
        description="longest time between demand frames, s, 0.25..1.0",
    )
    read_status: bool = Field(
        default=False, description="ask for status replies; many units never answer"
    )
    status_period_s: float = Field(
        default=5.0, ge=2.0, le=300.0, description="time between status queries, s, 2..300"
    )
    system_v: Literal[24, 36, 48, 72, 96] = Field(
        default=48, description="battery class of the inverter, V"
    )
    gain: float = Field(
        default=0.96, gt=0.5, le=1.1, description="AC power delivered per demanded W, 0.5..1.1"
    )
    dc_efficiency: float | None = Field(
        default=None,
        gt=0.5,
        le=1.0,
        description="AC power per DC power, 0.5..1; default: gain x 0.89, at 24 V gain x 0.87",
    )
    stop_v: float | None = Field(
        default=None,
        ge=15.0,
        le=180.0,
        description="pack voltage below which it stops, V; default: 43 at 48 V, 21 at 24 V, "
        "otherwise not known and no bound",
    )
    start_v: float | None = Field(
        default=None,
        ge=15.0,
        le=180.0,
        description="pack voltage from which it starts again, V; default: 1 V above stop_v",
    )
    run_w: float = Field(
        default=2.0, ge=0.0, le=100.0, description="loss per unit just for running, W"
    )
    standby_w: float = Field(
        default=1.5, ge=0.0, le=100.0, description="draw per unit when told 0, W"
    )
    start_wh: float = Field(
        default=0.05, ge=0.0, le=10.0, description="energy per unit that a start costs, Wh"
    )
    full_load_extra_w: float = Field(
        default=0.0,
        ge=0.0,
        le=500.0,
        description="loss per unit at max_w beyond that of a flat efficiency, W",
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.min_w > self.max_w:
            raise ValueError(f"min_w ({self.min_w} W) is above max_w ({self.max_w} W)")
        window = self.window
        if window.stop_v is None or window.start_v is None:
            if window.start_v is not None:
                raise ValueError("start_v needs stop_v")
        elif not window.stop_v < window.start_v:
            raise ValueError(
                f"stop_v ({window.stop_v:g} V) is not below start_v ({window.start_v:g} V)"
            )
        return self

    @property
    def window(self) -> DcWindow:
        """Pack voltages at which the units work."""
        of_type = _WINDOWS[self.system_v]
        if self.stop_v is None:
            return replace(of_type, start_v=self.start_v or of_type.start_v)
        return replace(of_type, stop_v=self.stop_v, start_v=self.start_v or self.stop_v + 1.0)

    @property
    def demand_per_dc(self) -> float:
        """Demanded W per W drawn from the battery, as the firmware regulates."""
        if self.dc_efficiency is not None:
            return self.dc_efficiency / self.gain
        return _DEMAND_PER_DC_24_V if self.system_v == 24 else _DEMAND_PER_DC_48_V

    @property
    def efficiency(self) -> float:
        """AC power per DC power, 0..1."""
        return min(self.gain * self.demand_per_dc, 1.0)
