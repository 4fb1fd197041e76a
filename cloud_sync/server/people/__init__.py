"""People: accounts, tokens, consent, and what belongs to a person."""
