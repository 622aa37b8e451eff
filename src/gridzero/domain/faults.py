"""Every fault the system can name: how it is noticed, what power becomes, what to do.

docs/faults.md is this table in words; a test keeps the two the same, and another asks that each
row has a scenario.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.domain.alarms import Level
from gridzero.domain.events import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row.

    noticed: by what, and within how long. power: what power becomes.
    clears: by itself (after which dwell) or by a person. remedy: what the person should do.
    latches: stays after its cause is gone, and over restarts, until a person acknowledges it.
    """

    code: str
    title: str
    noticed: str
    power: str
    clears: str
    remedy: str
    severity: Severity = Severity.FAULT
    latches: bool = False


_ROWS = (
    Fault(
        code="meter_lost",
        title="No reading from the grid meter",
        noticed="age of the newest reading: held to 1.5 s, then decays, lost at 10 s",
        power="falls in a line from 1.5 s on; 0 W at 10 s (fixed modes do not need it)",
        clears="by itself with the next valid reading",
        remedy="Check the meter's power, its network and the broker (mosquitto_sub)",
    ),
    Fault(
        code="meter_garbage",
        title="Messages from the meter hold no number",
        noticed="at the first such message, a missing JSON path after 10 s; never taken as 0 W",
        power="as for a lost meter, by the age of the last valid reading",
        clears="by itself with the next valid reading",
        remedy="Compare the payload with topic, path and scale in the configuration",
        severity=Severity.WARNING,
    ),
    Fault(
        code="meter_wrong",
        title="The meter does not show what the battery does",
        noticed="sign: within two minutes of running away, confirmed twice by 2.5 s at zero power;"
        " frozen: the same number a dozen times after the battery moved 150 W; the same number for"
        " 30 s while discharging is tested by 2.5 s at zero power",
        power="0 W in mode auto (fixed modes do not need it)",
        clears="by itself: a frozen one with three new numbers, a wrong one after 5 minutes",
        remedy="Check sign, topic and path of the meter; restart a meter that repeats itself",
    ),
    Fault(
        code="module_silent",
        title="A battery module sends no cell voltages",
        noticed="no complete set of cells for 2 s (limits start to fall), fault at 4.4 s",
        power="0 W both ways: told to every converter within 5 s of the last complete set",
        clears="by itself once the module is complete again",
        remedy="Check the module's 12 V supply, enable line and CAN plug",
    ),
    Fault(
        code="bus_silent",
        title="Nothing is heard on a battery bus",
        noticed="no valid frame from any module of the bus for 5 s",
        power="0 W both ways, told to every converter within 5 s (its modules are silent)",
        clears="by itself once its modules are complete again",
        remedy="Check the CAN adapter, bit rate, crystal, termination and cable",
    ),
    Fault(
        code="temp_missing",
        title="No usable temperature of a module",
        noticed="no valid value for 10 s (limits start to fall), refused at 30 s",
        power="0 W both ways at 30 s",
        clears="by itself with the next valid temperature",
        remedy="Check the module; a module without a sensor must not be used",
    ),
    Fault(
        code="cell_implausible",
        title="A cell reads outside the plausible window",
        noticed="at the first such reading (window 1.5 V to 4.5 V)",
        power="0 W both ways while outside the window; a jump shows its last good value and ages",
        clears="by itself with plausible readings",
        remedy="Measure the cell by hand; check its sense wire",
    ),
    Fault(
        code="cell_over",
        title="A cell is above its hard limit",
        noticed="next protect tick (250 ms) after the frame; latches when it goes further for 15 s",
        power="charge 0 W at once; discharge stays allowed",
        clears="by itself below the release voltage; a trip by a person",
        remedy="Do not charge; find out why the taper did not hold it",
    ),
    Fault(
        code="cell_under",
        title="A cell is below its hard limit",
        noticed="next protect tick (250 ms) after the frame; latches when it goes further for 15 s",
        power="discharge 0 W at once; charge stays allowed, gently: a tenth at 2.5 V",
        clears="by itself above the release voltage; a trip by a person",
        remedy="Find the named cell. Above 2.5 V charge soon and gently; below it, measure the cell"
        " by hand before anything charges it",
    ),
    Fault(
        code="too_hot",
        title="The battery is too hot",
        noticed="next protect tick after the temperature frame; trips 5 K further, after 10 s",
        power="0 W both ways",
        clears="by itself when the taper allows power again; a trip by a person",
        remedy="Let it cool; check ventilation",
    ),
    Fault(
        code="too_cold",
        title="The battery is too cold to charge",
        noticed="next protect tick after the temperature frame",
        power="charge 0 W; discharge stays allowed above its own limit",
        clears="by itself when the taper allows power again",
        remedy="Warm the battery",
        severity=Severity.WARNING,
    ),
    Fault(
        code="self_heating",
        title="A module warms by itself",
        noticed="4 K within 10 minutes beyond twice what its current explains; at 5 K a minute that"
        " is within 3 minutes",
        power="0 W both ways; the heater goes off",
        clears="latched: a person acknowledges once it no longer warms",
        remedy="Keep away and ventilate; with smoke or hissing call the fire brigade. Only once it"
        " is cold take the module off the battery; do not open it",
        latches=True,
    ),
    Fault(
        code="heater_useless",
        title="The heater does not warm the battery",
        noticed="less than 1 K on the coldest module after 45 minutes of heating",
        power="unchanged: charging waits for warmth by itself; the heater rests for 6 hours",
        clears="by itself when it is seen to warm; a person may ask for a try at once",
        remedy="Check the heater, its fuse, its relay and where its warmth goes",
        severity=Severity.WARNING,
    ),
    Fault(
        code="over_current",
        title="Battery current is above its limit",
        noticed="shunt more than 15 % and 3 A above the limit for 2 s",
        power="0 W both ways",
        clears="by itself 30 s after the last excess",
        remedy="Look for a load or charger that gridzero does not control",
    ),
    Fault(
        code="cell_deep",
        title="A cell is so empty that charging it may be dangerous",
        noticed="next protect tick after the frame (2.0 V; LFP 1.8 V); latches after 15 s",
        power="0 W both ways at once",
        clears="by a person, once the cell has recovered",
        remedy="Measure the cell by hand. Do not charge it: replace the module",
    ),
    Fault(
        code="cell_spread",
        title="The cells of a module are far apart",
        noticed="at rest, or by the estimate also under load: 0.1 V for 60 s warns, 0.3 V for 60 s"
        " limits, 0.5 V for 60 s trips",
        power="limit: discharge 0 W; trip: 0 W both ways",
        clears="by itself when balancing has brought them together; a trip by a person",
        remedy="Up to 0.3 V let it balance; beyond, look in the cell table for the one that is off,"
        " and measure it by hand: it may be damaged",
        severity=Severity.WARNING,
    ),
    Fault(
        code="cell_rate",
        title="A cell leaves its neighbours quickly",
        noticed="60 mV within 30 s warns, 150 mV limits, 300 mV trips, whatever the load does to"
        " the whole module",
        power="limit and trip: 0 W both ways",
        clears="by itself after 5 minutes without; a trip by a person",
        remedy="Look for warmth, smell and swelling first; then check sense wire and cell",
    ),
    Fault(
        code="hot_charge",
        title="The battery is too hot to charge",
        noticed="next protect tick after the temperature frame",
        power="charge 0 W; discharge stays allowed up to its own limit",
        clears="by itself 60 s after it is 2 K cooler",
        remedy="Let it cool; check ventilation",
        severity=Severity.WARNING,
    ),
    Fault(
        code="cold_discharge",
        title="The battery is too cold to discharge",
        noticed="next protect tick after the temperature frame",
        power="discharge 0 W; charging ends earlier still",
        clears="by itself 60 s after it is 1 K warmer",
        remedy="Warm the battery",
        severity=Severity.WARNING,
    ),
    Fault(
        code="temp_spread",
        title="One module is much warmer than another",
        noticed="8 K for 60 s warns, 15 K limits, 25 K trips",
        power="limit: charge 0 W; trip: 0 W both ways",
        clears="by itself when they are within 10 K; a trip by a person",
        remedy="Look for a loose contact, a blocked fan or a module that heats itself",
        severity=Severity.WARNING,
    ),
    Fault(
        code="charge_current",
        title="The battery is charged with more than its rating",
        noticed="8 % above for 10 s warns, 15 % for 3 s limits, 50 % for 2 s trips",
        power="limit: charge 0 W; trip: 0 W both ways",
        clears="by itself 30 s after it ended; a trip by a person",
        remedy="Look for a charger that gridzero does not control; check max_charge_a",
    ),
    Fault(
        code="discharge_current",
        title="The battery gives more than its rating",
        noticed="8 % above for 10 s warns, 15 % for 3 s limits, 50 % for 2 s trips",
        power="limit: discharge 0 W; trip: 0 W both ways",
        clears="by itself 30 s after it ended; a trip by a person",
        remedy="Look for a load that gridzero does not control; check max_discharge_a",
    ),
    Fault(
        code="module_current",
        title="One module carries more than its rating",
        noticed="10 % above for 30 s warns, 25 % for 10 s limits, 75 % for 5 s trips; by the"
        " estimate, else by equal shares of the healthy modules",
        power="limit and trip: 0 W both ways",
        clears="by itself 60 s after it ended; a trip by a person",
        remedy="Check the other modules' cables and fuses: they carry too little",
    ),
    Fault(
        code="current_integral",
        title="Too much current for too long",
        noticed="summed above the rating over a minute, in seconds of full rating: 3 s warns, 6 s"
        " limits, 12 s trips",
        power="limit and trip: 0 W both ways",
        clears="by itself 30 s after the minute is clean; a trip by a person",
        remedy="Look for a load or charger that gridzero does not control",
    ),
    Fault(
        code="charging_forbidden",
        title="The battery is charged although it must not be",
        noticed="3 A of charge while the charge limit is 0: 5 s warns, 8 s limits, 15 s trips",
        power="0 W both ways, so that nothing feeds the charger",
        clears="by itself 30 s after it ended; a trip by a person",
        remedy="Switch the rectifier off at its mains; fit or check its contactor",
    ),
    Fault(
        code="discharging_forbidden",
        title="The battery is discharged although it must not be",
        noticed="3 A of discharge while the limit is 0: 8 s warns, 15 s limits, 30 s trips",
        power="discharge 0 W",
        clears="by itself 30 s after it ended; a trip by a person",
        remedy="Look for a load on the battery, or an inverter that does not stop",
    ),
    Fault(
        code="charging_untold",
        title="The battery is charged though nobody was told to",
        noticed="3 A of charge while no charger is commanded: 8 s warns, 15 s limits, 60 s trips",
        power="limit: discharge 0 W; trip: 0 W both ways",
        clears="by itself 30 s after it ended; a trip by a person",
        remedy="Look for a rectifier on its stored values, or another charger",
    ),
    Fault(
        code="charge_excess",
        title="More charge flows than was commanded",
        noticed="the shunt shows 3 A more than the set-points for 8 s (warns), 5 A for 10 s"
        " (limits), 10 A for 20 s (trips)",
        power="limit: charge 0 W; trip: 0 W both ways",
        clears="by itself 60 s after it ended; a trip by a person",
        remedy="Check that nothing else commands the rectifier; open its contactor",
    ),
    Fault(
        code="cell_misread",
        title="A cell's sensor is wrong, the cell is not",
        noticed="within 10 s by the modules in parallel, which have one voltage",
        power="unchanged: the cell counts as the others say, with what that may be wrong",
        clears="by itself when it reads like the others again",
        remedy="Check the sense wire and its plug when convenient",
        severity=Severity.WARNING,
    ),
    Fault(
        code="misread_many",
        title="Too many cells of one module are misread",
        noticed="two or more",
        power="0 W both ways: nothing is left to judge them by",
        clears="by itself 10 s after at most one is left",
        remedy="Replace the module's board, or take the module out",
    ),
    Fault(
        code="cell_odd",
        title="A cell reads oddly and nobody can say why",
        noticed="10 s after the readings raised doubt",
        power="unchanged: the cell counts as it reads, so the tapers act",
        clears="by itself when it reads like the others again",
        remedy="Measure the cell by hand",
        severity=Severity.WARNING,
    ),
    Fault(
        code="module_apart",
        title="A module has another voltage than those in parallel with it",
        noticed="no single cell explains it for 10 s",
        power="0 W both ways",
        clears="by itself 10 s after they agree",
        remedy="Check its fuse, contactor and cable before anything else: it may not be connected."
        " Bring it to the others' voltage before it is joined again",
    ),
    Fault(
        code="module_frozen",
        title="A module repeats its readings",
        noticed="its readings stand still while the others move",
        power="0 W both ways: they are as old as the last that moved",
        clears="by itself when they move again",
        remedy="Switch the module's 12 V supply off and on",
    ),
    Fault(
        code="temp_odd",
        title="A module's temperature cannot be",
        noticed="as soon as the readings show it (warns), after 30 s (limits)",
        power="0 W both ways after 30 s",
        clears="by itself when the sensor agrees with the others again",
        remedy="Check the sensor; a module without one must not be used",
    ),
    Fault(
        code="pack_voltage",
        title="Modules in parallel differ in voltage",
        noticed="against the middle of all: 0.25 V for 15 s warns, 0.5 V for 15 s limits, 1 V for"
        " 60 s trips",
        power="limit and trip: 0 W both ways",
        clears="by itself 10 s after they agree within 0.25 V; a trip by a person",
        remedy="Check fuse, contactor and cable of the named module; bring it to the others'"
        " voltage before it is joined again",
    ),
    Fault(
        code="converter_voltage",
        title="A converter measures another voltage than the cells",
        noticed="1.5 V apart for 30 s warns, 3 V for 30 s limits",
        power="limit: 0 W both ways",
        clears="by itself 30 s after they agree within 1.5 V",
        remedy="Measure the voltage by hand at the converter and at the battery",
        severity=Severity.WARNING,
    ),
    Fault(
        code="shunt_sign",
        title="The shunt shows charge as discharge",
        noticed="it says the opposite of what the converters do, lasting",
        power="0 W both ways",
        clears="by itself 10 s after it agrees; it is tried again after 1 min, later every 30 min",
        remedy="Swap the shunt's sense wires, or its sign in the configuration",
    ),
    Fault(
        code="shunt_stuck",
        title="The shunt stands still while the current moves",
        noticed="by what the converters do",
        power="0 W both ways",
        clears="by itself 10 s after it moves; it is tried again after 1 min, later every 30 min",
        remedy="Check the ADC and its wiring",
    ),
    Fault(
        code="shunt_offset",
        title="The shunt shows current when none flows",
        noticed="0.5 A at rest warns, 2 A limits, each after 60 s",
        power="limit: 0 W both ways",
        clears="by itself below 0.3 A (1 A)",
        remedy="Calibrate the shunt's zero; check for moisture on its board",
        severity=Severity.WARNING,
    ),
    Fault(
        code="bleed_endless",
        title="A module goes on bleeding though nobody asks it to",
        noticed="after 60 s (warns); after 20 minutes, longer than its own timer (limits)",
        power="limit: discharge 0 W, so that the drained cells are not emptied further",
        clears="by itself when the bleeding ends",
        remedy="Take the module's 12 V supply away; check its variant in the configuration",
        severity=Severity.WARNING,
    ),
    Fault(
        code="shunt_silent",
        title="No battery current reading",
        noticed="age 2 s (limits start to fall), refused at 5 s; a failed ADC is never 0 A",
        power="0 W both ways at 5 s",
        clears="by itself with the next valid reading",
        remedy="Check I2C wiring and address of the ADC",
    ),
    Fault(
        code="shunt_saturated",
        title="The shunt ADC is at the end of its range",
        noticed="at the reading",
        power="counts as no reading: 0 W at 5 s",
        clears="by itself with the next valid reading",
        remedy="Check gain and rating of the shunt; look for over-current",
    ),
    Fault(
        code="charger_silent",
        title="The rectifier does not answer",
        noticed="no telemetry for 5 s",
        power="charge 0 W, off frames continue; discharge only while the shunt, less what the"
        " inverters take, shows no charging (10 s of rest after each doubt)",
        clears="by itself when it answers again",
        remedy="Check its CAN cable and power. It may run on its stored values: open its contactor",
    ),
    Fault(
        code="charger_alarm",
        title="The rectifier reports an alarm",
        noticed="at the status word (polled every few seconds)",
        power="as the rectifier itself decides",
        clears="by itself when the alarm bit clears",
        remedy="Look up the named alarm in the driver's README",
        severity=Severity.WARNING,
    ),
    Fault(
        code="charger_refused",
        title="The rectifier refused a command",
        noticed="at its answer",
        power="charge 0 W while set-points are refused",
        clears="by itself with the next accepted command",
        remedy="Check voltage and current limits against the model",
    ),
    Fault(
        code="charger_over_setpoint",
        title="The rectifier gives more than it was told",
        noticed="3 A above its set-point for 3 s, or 0.3 V while current flows",
        power="stop sequence: charge 0 W",
        clears="by itself after 60 s",
        remedy="Check that nothing else commands it; open its contactor",
    ),
    Fault(
        code="charger_no_contactor",
        title="The rectifier has no contactor",
        noticed="at start and at stop",
        power="none by itself: about 30 s after gridzero ends it reverts to its stored values",
        clears="with a restart, once the rectifier's section names a contactor",
        remedy="Fit a normally open contactor that drops out when the Pi dies, and name it as"
        " contactor of the rectifier: docs/contactor.md",
        severity=Severity.WARNING,
    ),
    Fault(
        code="contactor_welded",
        title="A contactor does not open",
        noticed="its feedback contact says closed 0.5 s (settle_s) after it was told to open",
        power="0 W both ways: nothing can part the battery from what hangs on it",
        clears="by a person, once the feedback says open",
        remedy="Switch the rectifier's mains off, pull the battery fuse, replace the contactor;"
        " then acknowledge",
        latches=True,
    ),
    Fault(
        code="contactor_stuck_open",
        title="A contactor does not close",
        noticed="its feedback contact says open 0.5 s (settle_s) after it was told to close",
        power="0 W for what is behind it: a rectifier is not started",
        clears="by itself when the feedback says closed, or nobody wants it closed any more",
        remedy="Check coil, coil supply and charge pump; check the feedback contact and its wire",
    ),
    Fault(
        code="contactor_under_load",
        title="The battery contactor was opened while current flowed",
        noticed="after a trip more than 2 A flow that have not fallen for 4 s, or still after 12 s",
        power="0 W both ways: the battery is cut off, whatever still wanted to flow",
        clears="by a person: a contact that broke a direct current may have suffered",
        remedy="Find out what went on without being told to; look at the contacts, test that it"
        " opens and closes; then acknowledge",
        latches=True,
    ),
    Fault(
        code="inverter_fault",
        title="An inverter says that it does not deliver",
        noticed="at its status frame (where the model sends one)",
        power="as the inverter itself decides; the demand goes on being sent",
        clears="by itself with the next normal status",
        remedy="Look at the inverter's display; check DC and mains voltage",
        severity=Severity.WARNING,
    ),
    Fault(
        code="converter_suspect",
        title="A converter does not show a change that it was told",
        noticed="4 s of too little by its report or the shunt; by the meter alone, when the load is"
        " calm only if the unit is taken to give nothing (250 W unseen, or its whole power lost)",
        power="an inverter is told 0 W for 1.5 to 3 s, then its value again",
        clears="by itself: it answers, or it becomes a converter that does not follow",
        remedy="Nothing yet: a cloud or a switching load can look like this for seconds",
        severity=Severity.INFO,
    ),
    Fault(
        code="inverter_not_following",
        title="An inverter gives less than it is told",
        noticed="by its report or the shunt: 80 W and 30 % too little for 15 s; by the meter alone:"
        " two steps of its power in a row that the meter does not show",
        power="gives nothing: 0 W, counts as nothing, others carry what they can; it is asked for"
        " 150 W after 15 s, then with pauses of up to 10 minutes. Gives a part: goes on being used",
        clears="by itself when it is seen to give again",
        remedy="Compare the stop and start voltage on its display with stop_v and start_v of the"
        " configuration; check its limit setting and the RS485 cable",
        severity=Severity.WARNING,
    ),
    Fault(
        code="actuator_changed",
        title="A converter is no longer what it was",
        noticed="learned over at least 12 moves: gain below 0.8, dead time above 3 s, or since the"
        " last test gain changed by 0.15, dead time by 1.5 s, a slew by half",
        power="unchanged: the control law goes on with what it has learned",
        clears="by itself when it is as before; a new test makes the new values the usual ones",
        remedy="Check the converter, its wiring, its settings and the delay of the meter;"
        " then run: gridzero identify",
        severity=Severity.WARNING,
    ),
    Fault(
        code="charger_not_following",
        title="A charger takes less than it is told",
        noticed="its report shows 150 W and 30 % too little for 15 s, away from its voltage limit",
        power="takes nothing: 0 W, and a try like that of an inverter; a part: goes on being used",
        clears="by itself when it is seen to take again",
        remedy="Check its mains, its contactor and its own limits; look for an alarm",
        severity=Severity.WARNING,
    ),
    Fault(
        code="battery_memory_lost",
        title="What was stored of the battery cannot be used",
        noticed="at start: the file is damaged, or of another version",
        power="unchanged: the state of charge starts from voltage, with a wide error",
        clears="by itself at the next save, after 5 minutes",
        remedy="Nothing at once: battery.damaged is kept beside battery.json in the state folder",
        severity=Severity.WARNING,
    ),
    Fault(
        code="state_not_saved",
        title="Something to be remembered cannot be stored",
        noticed="at once: writing a file of the state folder fails (full, read-only, broken card)",
        power="unchanged: what runs goes on; a restart would find what was stored before",
        clears="by itself once it is stored; tried again every minute",
        remedy="See what the text says: make room (df -h), or let the user write the state folder",
        severity=Severity.FAULT,
    ),
    Fault(
        code="lease_expired",
        title="The control loop did not renew a set-point",
        noticed="in the driver, 3 s after the last renewal",
        power="0 W, from the driver itself",
        clears="by itself with the next set-point",
        remedy="Report it with the log: the control task hung",
    ),
    Fault(
        code="link_down",
        title="A bus, port or broker is gone",
        noticed="at the first failed read or write, or by silence",
        power="by the age of what came over it; what cannot be reached times out by itself",
        clears="by itself: tried again with growing pauses up to 3 s; one that comes and goes, once"
        " it has stayed for 10 s",
        remedy="Check plug, driver and permissions of the named link",
    ),
    Fault(
        code="broker_refuses",
        title="The broker does not let gridzero speak or hear",
        noticed="a refused subscription at once; what it drops without a word, 5 s after each"
        " connect: gridzero hears its own message on its status topic",
        power="unchanged; where the meter is not heard, by its age",
        clears="by itself with the connection on which it is allowed",
        remedy="Check the broker's access list and log (docs/security.md has one); until then only"
        " the log tells what happens",
        severity=Severity.WARNING,
    ),
    Fault(
        code="second_control",
        title="Another control speaks under the same topic prefix",
        noticed="each says who it is every 5 s: once another was heard for 40 s, longer than one"
        " that ends speaks beside its successor",
        power="unchanged, since anybody may claim it; but wishes reach both, and two that hold the"
        " same meter work against each other",
        clears="by itself within 25 s of its last word",
        remedy="End the one that is not wanted (the text names its machine), or give each house its"
        " own mqtt.topic_prefix",
    ),
    Fault(
        code="device_lost",
        title="A driver cannot serve its device",
        noticed="at once; it is tried again every 2 s",
        power="by the age of what the device says; a converter's lease ends",
        clears="by itself after 10 s of service",
        remedy="See the text for what is missing: plug, power, address or permission",
    ),
    Fault(
        code="can_errors",
        title="A CAN controller is in trouble",
        noticed="at its error frame (error-warning, error-passive, bus-off) or within 2 s by asking"
        " the kernel; at a send queue that is full; at 500 frames a second within 1 s",
        power="by the age of what came over it",
        clears="by itself 4 s after the last sign of it",
        remedy="Check bit rate, crystal, termination; set restart-ms 100 on the interface",
        severity=Severity.WARNING,
    ),
    Fault(
        code="bleed_mismatch",
        title="A module bleeds other cells than it was asked to",
        noticed="requested and reported cells differ for more than 5 s",
        power="unchanged; the module is not asked to bleed for 10 minutes",
        clears="by itself when they agree",
        remedy="Check the module's variant (gte_gen1 or standard) in the configuration",
        severity=Severity.WARNING,
    ),
    Fault(
        code="unexpected_module",
        title="A module answers that is not configured",
        noticed="at its first frame",
        power="0 W both ways: its cells are not watched",
        clears="by itself 30 s after its last frame",
        remedy="Add it to the battery's modules, or take it off the bus",
    ),
    Fault(
        code="latches_lost",
        title="Nobody knows which faults wait to be acknowledged",
        noticed="at start: the file of latched faults cannot be read or names faults of a newer"
        " version; it is kept as latched.damaged",
        power="0 W both ways: one of them may have been a trip",
        clears="by a person",
        remedy="Look through the log for the last trip and at the battery; then acknowledge",
        latches=True,
    ),
    Fault(
        code="commands_stuck",
        title="Commands do not leave, or nobody decides",
        noticed="no tick for watchdog.within_s (6 s), or nothing sent to a converter for so long",
        power="by the leases and the devices' own time-outs; the watchdogs are not fed, so systemd"
        " restarts gridzero and the hardware watchdog the Pi",
        clears="by itself when commands leave again, otherwise with the restart",
        remedy="See which converter is named: its link, its adapter. Report a hung control loop",
    ),
    Fault(
        code="watchdog_lost",
        title="A watchdog cannot be fed",
        noticed="at the first failed open or write; it is tried again every 2 s",
        power="unchanged; nobody restarts the Pi if it hangs",
        clears="by itself when it can be fed",
        remedy="See the text for which one. A device: does it exist, may gridzero write it, does"
        " another program hold it (systemd's RuntimeWatchdogSec)?",
        severity=Severity.WARNING,
    ),
    Fault(
        code="config_rolled_back",
        title="Another configuration runs than that of the file",
        noticed="at the start: the file cannot be loaded, or gridzero ended three times within its"
        " first five minutes with it; the last one that proved itself runs instead",
        power="as that one says, where the file differs from it only in what bears on no power;"
        " else see limits_rolled_back",
        clears="when a good file is taken, by a reload or a restart",
        remedy="See the text for what is wrong, mend it, then `gridzero reload FILE --restart`;"
        " docs/updating.md",
    ),
    Fault(
        code="limits_rolled_back",
        title="What was changed in the refused file may bear on safety",
        noticed="with config_rolled_back, where the two differ in devices, limits, modes or times,"
        " or the file is no readable YAML: the change may have been meant to make the house safer",
        power="0 W both ways",
        clears="when a good file is taken; or by a person, who agrees to the last good one",
        remedy="Mend the file, then `gridzero reload FILE --restart`; or acknowledge, to go on with"
        " the limits that held before",
        latches=True,
    ),
    Fault(
        code="companion_lost",
        title="What people look at has ended",
        noticed="at once when its process ends; it is started again after 5 s, later after up to"
        " 5 minutes",
        power="unchanged: control is another process",
        clears="by itself when it has served for 30 s",
        remedy="See the log for what ended it; `gridzero companion FILE` or `gridzero dashboard"
        " FILE` by hand shows it at once",
        severity=Severity.WARNING,
    ),
    Fault(
        code="control_hung",
        title="The control loop stands still",
        noticed="no tick for 5 s (a task of its own), or the whole process for 8 s (a thread)",
        power="0 W by the leases after 3 s; a loop that stands still keeps the last power until the"
        " inverter's own time-out and the restart",
        clears="with the restart",
        remedy="Report it with the log",
    ),
    Fault(
        code="task_crashed",
        title="A part of gridzero ended with a bug",
        noticed="at once",
        power="0 W: the stop sequences run, then the process ends with exit code 70",
        clears="with the restart",
        remedy="Report it with the log",
    ),
)

FAULTS: dict[str, Fault] = {row.code: row for row in _ROWS}


def severity_of(code: str, level: Level | None) -> Severity:
    """How loudly to say a fault: a protection that only warns, not as loudly as one that acts.

    A code that has no row, as of a newer version, is as severe as any.
    """
    severity = FAULTS[code].severity if code in FAULTS else Severity.FAULT
    if level is Level.TRIP:
        return Severity.FAULT
    return min(severity, Severity.WARNING) if level is Level.WARN else severity
