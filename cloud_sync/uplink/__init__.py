"""Decides what a gateway sends next, as values; sockets live in edge.adapters."""
