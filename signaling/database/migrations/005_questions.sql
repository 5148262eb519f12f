-- What classrooms asked in lessons, for the time that PROTOCOL 4.5 names. `sub` is who asked, `answer` '' was given aloud.
CREATE TABLE questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lesson TEXT NOT NULL,
    recording TEXT NOT NULL,
    sub TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    answer TEXT,
    answered_ms INTEGER
);
CREATE INDEX questions_of_lesson ON questions (lesson, asked_ms);
CREATE INDEX questions_by_time ON questions (asked_ms);
