"""What is seen and touched: the Kivy side of the app, on the view models of `mobile.core`."""
