"""The HTTP and WebSocket edge: bytes <-> messages, nothing more (PROTOCOL sections 3 and 4)."""
