"""Proofs of the cloud's books: read from the database, computed again, compared. For the server and `island verify`."""
