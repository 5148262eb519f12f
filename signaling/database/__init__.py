"""The one SQLite database of a server: opened, brought up to date, shared."""
