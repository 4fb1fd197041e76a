"""Who may enter, and why; and how a lane moves its barrier."""
