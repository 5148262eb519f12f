"""The timetable: what happens when, by the server's time."""
