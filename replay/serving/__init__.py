"""What ``replay serve`` is made of: a recording, its two ways of knowing, keyframes, moments that screens drive, and the service."""
