"""A simulated microgrid: physics from a seed, served over the protocols that real devices speak."""
