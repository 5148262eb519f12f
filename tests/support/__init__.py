"""Real parts for tests: servers, browsers, media, networks."""
