"""The gateway process at an entry point: lanes, journal, uplink, and the guard's page."""
