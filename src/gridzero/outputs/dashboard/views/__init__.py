"""What each panel shows, as plain values: pure functions of what came over MQTT."""
