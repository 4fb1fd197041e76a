"""The page for the guard's hut: works without the internet, shows the lanes, takes decisions."""
