"""Measurements of the hot paths, each beside a peer or a limit from the same run. One file a path."""
