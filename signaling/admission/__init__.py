"""The door: who comes into a lesson now, with how much, and who waits (PROTOCOL 4.5)."""
