"""Permits of article 25: application, review, documents, and the visits made under them. Pure."""
