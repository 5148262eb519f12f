"""The emulated link in real time: a way in to a server whose every byte draws on one bucket (for development)."""
