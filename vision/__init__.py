"""Pixels to readings of plates and vehicles."""
