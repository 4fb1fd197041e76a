"""The JSON API, `/api/v1`: owns shapes on the wire; what they mean is in `queries` and `store`."""
