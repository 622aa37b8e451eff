"""What the battery is and bears: pure functions and small state machines over readings."""
