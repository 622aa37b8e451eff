"""Home Assistant by MQTT discovery; docs/home-assistant.md is for its owner."""
