"""The console: words, live screen and traces over telnet and SSH. An MQTT client like any other."""
