"""A lesson in real browsers, from the bell to the library."""
