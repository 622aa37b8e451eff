"""Device drivers: one folder per device, found by entry point (group ``gridzero.drivers``)."""
