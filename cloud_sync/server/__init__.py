"""The cloud: ingest, store, API and the operators' console."""
