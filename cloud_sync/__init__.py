"""What travels between gateways and cloud: the contract, the uplink that decides what to send, the server."""
