-- Findings of checks of the line, for 30 days. No address, no browser, no person: which classroom, and what was found.
CREATE TABLE checks (
    code TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    device TEXT,
    name TEXT NOT NULL,
    lesson TEXT,
    rule TEXT NOT NULL,
    level TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX checks_by_time ON checks (at_ms);
