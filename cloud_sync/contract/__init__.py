"""Facts to bytes and back. One module a version; golden files in tests hold each."""
