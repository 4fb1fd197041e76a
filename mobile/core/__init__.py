"""What the app knows and does, without a window: nothing in here imports kivy."""
