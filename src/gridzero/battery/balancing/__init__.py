"""Which cells to bleed, how much, and why not."""

from gridzero.battery.balancing.balancer import Balancer
from gridzero.battery.balancing.plan import PLANS, BalancePlan

__all__ = ["PLANS", "BalancePlan", "Balancer"]
