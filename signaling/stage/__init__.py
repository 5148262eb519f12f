"""The teacher's room: who is on stage, whose hand is up, and what the wall of classrooms shows (PROTOCOL 3.3)."""
