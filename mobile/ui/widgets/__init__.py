"""The app's own widgets: they are given texts and know nothing of models."""
