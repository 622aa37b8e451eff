"""How warm the battery is and will be, and what that allows."""

from gridzero.battery.thermal.cooling import cooled
from gridzero.battery.thermal.rules import ThermalRules
from gridzero.battery.thermal.thermal import Thermal

__all__ = ["Thermal", "ThermalRules", "cooled"]
