"""Rendered number plates: owns how a plate of every kind is drawn and how weather, light and cameras spoil it.

Shared by the simulator, the tests and the training code; needs numpy and OpenCV alone.
`plates` draws, `scenes` pastes with known corners, `weather` spoils.
"""
