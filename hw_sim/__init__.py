"""A simulated island that speaks only the real protocols."""
