"""What the app needs of the machine it runs on: small Protocols, each with a desktop and an Android side."""
