"""The carbon ledger in the cloud."""
