"""The ports on Android: only what python-for-android carries (pyjnius, its `android` package, pyzbar, Kivy)."""
