"""The vocabulary shared by every program. Standard library only, so that the phone can carry it."""
