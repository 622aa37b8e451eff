"""The nouns of the project: frozen values, no I/O, no clock, no asyncio.

Signs (used everywhere): positive flows toward the house.

    grid_w     > 0  the house buys           < 0  the house sells
    battery_w  > 0  the battery discharges   < 0  it charges (AC side)
    pv_w      >= 0
    load_w     = grid_w + pv_w + battery_w
    net_load_w = load_w - pv_w = grid_w + battery_w

Battery current_a > 0 is discharge. AC powers are AC; DC quantities say ``dc``.
Times are seconds of the event loop's monotonic clock. Unknown is ``None``, never 0.
"""
