"""People who look on while the core is measured: browsers, a console, a Home Assistant."""
