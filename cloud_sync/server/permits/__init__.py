"""Applications, documents, passes and visits in the cloud."""
