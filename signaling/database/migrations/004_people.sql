-- Schools, their classes, persons who sign in, and classrooms that are paired once.
CREATE TABLE schools (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE classes (
    id TEXT PRIMARY KEY,
    school TEXT NOT NULL REFERENCES schools (id),
    name TEXT NOT NULL,
    UNIQUE (school, name)
);
CREATE TABLE persons (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    school TEXT REFERENCES schools (id),
    class TEXT REFERENCES classes (id),
    active INTEGER NOT NULL,
    must_change INTEGER NOT NULL,
    password_hash TEXT NOT NULL
);
CREATE TABLE classrooms (
    id TEXT PRIMARY KEY,
    school TEXT NOT NULL REFERENCES schools (id),
    class TEXT NOT NULL REFERENCES classes (id),
    name TEXT NOT NULL,
    active INTEGER NOT NULL,
    UNIQUE (class, name)
);
-- A code that waits for its classroom; only its keyed hash is kept.
CREATE TABLE pairing_codes (
    classroom TEXT PRIMARY KEY REFERENCES classrooms (id),
    code_hash TEXT NOT NULL UNIQUE,
    until_ms INTEGER NOT NULL
);
-- The machine of a classroom. The secret before the present one is good until the present one was seen.
CREATE TABLE devices (
    classroom TEXT PRIMARY KEY REFERENCES classrooms (id),
    secret_hash TEXT NOT NULL UNIQUE,
    previous_hash TEXT,
    rotated_ms INTEGER NOT NULL,
    paired_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL
);
CREATE TABLE person_sessions (
    secret_hash TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES persons (id),
    until_ms INTEGER NOT NULL
);
-- Lessons of before were open to everybody who knew the code.
ALTER TABLE lessons ADD COLUMN open INTEGER NOT NULL DEFAULT 1;
