"""MQTT topic filters (MQTT 3.1.1, section 4.7)."""

from __future__ import annotations


def matches(topic_filter: str, topic: str) -> bool:
    """Whether topic passes the filter; ``+`` is one level, a trailing ``#`` is all below.

    Topics that begin with ``$`` are not matched by a wildcard in the first level.
    """
    if topic_filter == topic:
        return True
    if "#" not in topic_filter and "+" not in topic_filter:
        return False
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    for i, level in enumerate(wanted):
        if level == "#":
            return True
        if i >= len(given) or (level != "+" and level != given[i]):
            return False
    return len(wanted) == len(given)
