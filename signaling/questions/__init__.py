"""Questions of a lesson, which outlive it (PROTOCOL 4.5)."""
