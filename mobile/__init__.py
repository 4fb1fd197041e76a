"""The app of visitors and drivers, for Android and the desktop, on the cloud's API."""
