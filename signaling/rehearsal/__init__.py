"""Rehearsals with the real classrooms, 全县联调 (PROTOCOL 4.5)."""
