-- Lessons, their recordings, and who was sent away.
CREATE TABLE lessons (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    teacher TEXT NOT NULL,
    teacher_name TEXT NOT NULL,
    code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    recording TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    last_teacher_ms INTEGER NOT NULL,
    closed_ms INTEGER
);
CREATE UNIQUE INDEX code_of_open_lesson ON lessons (code) WHERE state = 'open';
CREATE TABLE recordings (id TEXT PRIMARY KEY, lesson TEXT NOT NULL, started_ms INTEGER NOT NULL);
CREATE TABLE revocations (lesson TEXT NOT NULL, sub TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (lesson, sub));
