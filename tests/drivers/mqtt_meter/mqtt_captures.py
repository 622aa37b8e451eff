"""One message of each known meter in the shape that it really has; the numbers are invented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

Messages = tuple[tuple[str, str], ...]


class Capture(NamedTuple):
    """Messages of one profile, and the power they mean, W of import. None = no reading."""

    profile: str
    messages: Messages
    grid_w: float | None
    given: Mapping[str, Any] = MappingProxyType({})


def one(profile: str, topic: str, payload: Any, grid_w: float | None, **given: Any) -> Capture:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return Capture(profile, ((topic, text),), grid_w, given)


def parts(profile: str, stem: str, values: dict[str, Any], grid_w: float | None) -> Capture:
    messages = tuple(
        (f"{stem}{end}", v if isinstance(v, str) else json.dumps(v)) for end, v in values.items()
    )
    return Capture(profile, messages, grid_w)


def _sml(**values: Any) -> dict[str, Any]:
    return {"Time": "2026-02-03T07:15:20", "SML": {"Total_in": 5121.7, **values}}


def _event(total_w: Any) -> dict[str, Any]:
    phases = {"id": 0, "a_act_power": 91.5, "b_act_power": -310.2, "total_act_power": total_w}
    return {"src": "s", "method": "NotifyStatus", "params": {"ts": 1770102920.42, "em:0": phases}}


def _reading(code: str, value: Any) -> dict[str, Any]:
    registers = [
        {"obis": "01-00:01.08.00*ff", "value": 8112300.0, "unit": "Wh"},
        {"obis": code, "value": value, "unit": "W"},
    ]
    return {"meter": {"reading": {"time": "2026-02-03T06:15:20Z", "registers": registers}}}


_SHELLY = "shellypro3em-a1b2c3d4e5f6"
_EM3 = "shellies/shellyem3-A1B2C3D4E5F6/emeter/"
_MONO = f"{_SHELLY}/status/em1:"
_DSMR = "dsmr/reading/electricity_currently_"
_P1 = "sensors/power/p1meter/actual_"
_HA = "homeassistant/sensor/"

CAPTURES: Final = (
    one("tasmota_sml", "tele/hichi/SENSOR", _sml(Power_curr=412), 412),
    one("tasmota_sml", "tele/hichi/SENSOR", _sml(Power_curr=-487), -487),
    one("tasmota_sml", "tele/hichi/SENSOR", _sml(curr_w=-12.5), -12.5),
    one("tasmota_sml", "tele/hichi/SENSOR", {"Time": "x", "MT175": {"P": 77}}, 77),
    one("tasmota_sml", "tele/hichi/SENSOR", _sml(Total_out=3), None),
    one("tasmota_sml", "tele/hichi/SENSOR", _sml(Leistung=9), 9, path="SML.Leistung"),
    one("tasmota_energy", "tele/sdm630/SENSOR", {"ENERGY": {"Power": [212, 418, -97]}}, 533),
    one("tasmota_energy", "tele/sdm630/SENSOR", {"ENERGY": {"Power": -640}}, -640),
    one("tasmota_energy", "tele/sdm630/SENSOR", {"ENERGY": {"Power": [212, None, -97]}}, None),
    parts("shelly_3em", _EM3, {"0/power": "151.32", "1/power": "20.10", "2/power": "88.78"}, 260.2),
    parts("shelly_3em", _EM3, {"2/power": "88.78", "0/power": "1.22", "1/power": "-420.0"}, -330),
    parts("shelly_3em", _EM3, {"0/power": "151.32", "1/power": "-420.10"}, None),
    one("shelly_pro_3em", f"{_SHELLY}/events/rpc", _event(215.4), 215.4),
    one("shelly_pro_3em", f"{_SHELLY}/events/rpc", _event(-161.6), -161.6),
    one("shelly_pro_3em", f"{_SHELLY}/events/rpc", {"method": "NotifyEvent", "params": {}}, None),
    one("shelly_pro_3em_status", f"{_SHELLY}/status/em:0", {"id": 0, "total_act_power": 423}, 423),
    one("shelly_pro_3em_status", f"{_SHELLY}/status/em:0", {"total_act_power": -8.1}, -8.1),
    one("shelly_pro_3em_status", f"{_SHELLY}/status/em:0", {"total_act_power": None}, None),
    parts(
        "shelly_pro_3em_mono",
        _MONO,
        {str(n): {"id": n, "act_power": 40 - n} for n in range(3)},
        117,
    ),
    parts(
        "shelly_pro_3em_mono",
        _MONO,
        {str(n): {"id": n, "act_power": -9.5} for n in range(3)},
        -28.5,
    ),
    parts("shelly_pro_3em_mono", _MONO, {"0": {"id": 0, "act_power": "nan"}}, None),
    parts("dsmr_reader", _DSMR, {"delivered": "1.307", "returned": "0.000"}, 1307),
    parts("dsmr_reader", _DSMR, {"delivered": "0.000", "returned": "2,044"}, -2044),
    parts("dsmr_reader", _DSMR, {"delivered": "0.412"}, None),
    one(
        "dsmr_reader_json",
        "dsmr/json",
        {
            "timestamp": "2026-02-03T06:15:20Z",
            "electricity_currently_delivered": "0.812",
            "electricity_currently_returned": "0.000",
        },
        812,
    ),
    one(
        "dsmr_reader_json",
        "dsmr/json",
        {"electricity_currently_delivered": "0.000", "electricity_currently_returned": "0.655"},
        -655,
    ),
    one("dsmr_reader_json", "dsmr/json", {"electricity_currently_delivered": "0.1"}, None),
    parts("p1_gateway", _P1, {"consumption": "734", "returndelivery": "0"}, 734),
    parts("p1_gateway", _P1, {"consumption": "0 W", "returndelivery": "123 W"}, -123),
    parts("p1_gateway", _P1, {"consumption": "0", "returndelivery": "unknown"}, None),
    parts("p1_gateway_kw", "fluvius/", {"P_cons": "00.562*kW", "P_prod": "0"}, 562),
    parts("p1_gateway_kw", "fluvius/", {"P_cons": "0", "P_prod": "1.2"}, -1200),
    parts("p1_gateway_kw", "fluvius/", {"P_cons": "1.2 kWh", "P_prod": "0"}, None),
    one("ams_bridge", "amsleser", {"t": 1770102920, "data": {"P": 640, "PO": 0, "I1": 2.8}}, 640),
    one("ams_bridge", "amsleser", {"t": 1770102920, "data": {"P": 0, "PO": 1260, "Q": 12}}, -1260),
    one("ams_bridge", "amsleser", {"t": 1770102930, "data": {"P": 640}}, None),
    one("ams_bridge", "amsleser", {"t": 1770102930, "data": {"tPI": 30211.7, "tPO": 911.0}}, None),
    one("ams_bridge_import_only", "amsleser", {"t": 1770102920, "data": {"P": 640}}, 640),
    one("ams_bridge_import_only", "amsleser", {"t": 1770102920, "data": {"P": 0}}, 0),
    one("ams_bridge_import_only", "amsleser", {"t": 1770102920, "data": {}}, None),
    one("tibber_pulse_mqtt", "tibber/meter", {"1-0:16.7.0*255": -912.4}, -912.4),
    one("tibber_pulse_mqtt", "tibber/meter", {"16.7.0": 40}, 40),
    one("tibber_pulse_mqtt", "tibber/meter", {"1-0:36.7.0*255": 41}, 41),
    one("tibber_pulse_mqtt", "tibber/meter", {"1-0:1.8.0*255": 8112300}, None),
    one(
        "tibber_pulse_mqtt",
        "tibber/meter",
        {"1-0:1.7.0*255": 0, "1-0:2.7.0*255": 55},
        -55,
        path='"1-0:1.7.0*255"',
        export_path='"1-0:2.7.0*255"',
    ),
    one("vzlogger", "vzlogger/chn2/raw", {"timestamp": 1770102920123, "value": 645.5}, 645.5),
    one("vzlogger", "vzlogger/chn2/raw", {"timestamp": 1770102920123, "value": -71.3}, -71.3),
    one("vzlogger", "vzlogger/chn2/raw", "-71.3", None),
    one("vzlogger_plain", "vzlogger/chn2/raw", "71.3", 71.3),
    one("vzlogger_plain", "vzlogger/chn2/raw", "-0.4", -0.4),
    one("vzlogger_plain", "vzlogger/chn2/raw", "nan", None),
    one("fronius_mqtt", "fronius/meter", {"Body": {"Data": {"Site": {"P_Grid": 288.4}}}}, 288.4),
    one("fronius_mqtt", "fronius/meter", {"Body": {"Data": {"0": {"PowerReal_P_Sum": -3}}}}, -3),
    one("fronius_mqtt", "fronius/meter", {"Body": {"Data": {}}}, None),
    one("sma_mqtt", "sma/em", {"pconsume": 81.5, "psupply": 0.0}, 81.5),
    one("sma_mqtt", "sma/em", {"pconsume": 0.0, "psupply": 3120.7}, -3120.7),
    one("sma_mqtt", "sma/em", {"pconsume": 0.0}, None),
    one("zigbee2mqtt", "zigbee2mqtt/house", {"power": 265, "linkquality": 131}, 265),
    one("zigbee2mqtt", "zigbee2mqtt/house", {"power": -265, "linkquality": 131}, -265),
    one("zigbee2mqtt", "zigbee2mqtt/house", {"power": None}, None),
    one("zigbee2mqtt_clamp", "zigbee2mqtt/clamp", {"power": 90, "energy_flow": "consuming"}, 90),
    one("zigbee2mqtt_clamp", "zigbee2mqtt/clamp", {"power": 90, "energy_flow": "producing"}, -90),
    one("zigbee2mqtt_clamp", "zigbee2mqtt/clamp", {"power": 90, "energy_flow": "sideways"}, None),
    one("zigbee2mqtt_clamp", "zigbee2mqtt/clamp", {"power": 90}, None),
    one("esphome", "meterbox/sensor/grid/state", "44.7", 44.7),
    one("esphome", "meterbox/sensor/grid/state", "-44.7", -44.7),
    one("esphome", "meterbox/sensor/grid/state", "nan", None),
    one("homewizard_mqtt", "homewizard/data", {"active_power_w": 1873}, 1873),
    one("homewizard_mqtt", "homewizard/data", {"active_power_w": -1873}, -1873),
    one("homewizard_mqtt", "homewizard/data", {"wifi_strength": 88}, None),
    one("powerfox_mqtt", "powerfox/current", {"Outdated": False, "Watt": 902.0}, 902),
    one("powerfox_mqtt", "powerfox/current", {"Outdated": False, "Watt": -1.0}, -1),
    one("powerfox_mqtt", "powerfox/current", {"Outdated": True, "Watt": 902.0}, None),
    one("iometer_mqtt", "iometer/reading", _reading("01-00:10.07.00*ff", 133), 133),
    one("iometer_mqtt", "iometer/reading", _reading("01-00:24.07.00*ff", -133), -133),
    one("iometer_mqtt", "iometer/reading", _reading("01-00:02.08.00*ff", 5), None),
    one("fritz_energy_250", f"{_HA}fritz_energy_power/state", "512", 512),
    one("fritz_energy_250", f"{_HA}fritz_energy_power/state", "-512.0", -512),
    one("fritz_energy_250", f"{_HA}fritz_energy_power/state", "unavailable", None),
    one("home_assistant", f"{_HA}grid_power/state", "517", 517),
    one("home_assistant", f"{_HA}grid_power/state", "-517,5", -517.5),
    one("home_assistant", f"{_HA}grid_power/state", "unknown", None),
)
