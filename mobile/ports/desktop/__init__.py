"""The ports on a computer: for development, the demonstration and the tests."""
