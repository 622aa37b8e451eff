"""The web page: one more MQTT client, in a process of its own, that draws what gridzero says."""
