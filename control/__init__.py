"""The pure core: what the island knows and decides. No I/O, no clock, no random numbers, no logging."""
