"""The calls of the island's API, one method a route, by subject."""
