"""What the screens of both roles show: sign-in, account, reminders."""
