-- The plan, what is otherwise on single days, and settings by level. Hours are minutes after midnight and days
-- YYYY-MM-DD, both of the school's clock. Ids of people and classes are not bound: a roster may leave somebody out
-- who taught last week.
CREATE TABLE periods (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    weekday INTEGER NOT NULL,
    begin_min INTEGER NOT NULL,
    end_min INTEGER NOT NULL,
    subject TEXT NOT NULL,
    teacher TEXT NOT NULL,
    classes TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'recorded', 'observe')),
    record INTEGER NOT NULL,
    first_day TEXT,
    last_day TEXT,
    clip TEXT,
    changed_ms INTEGER NOT NULL
);
CREATE TABLE plan_changes (
    period INTEGER NOT NULL REFERENCES periods (id),
    day TEXT NOT NULL,
    cancelled INTEGER NOT NULL,
    teacher TEXT,
    moved_to TEXT,
    begin_min INTEGER,
    end_min INTEGER,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (period, day)
);
CREATE TABLE policies (
    level TEXT NOT NULL CHECK (level IN ('county', 'school', 'class')),
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (level, owner, name)
);
-- How long a classroom was in a lesson, what it got, and what it thought of it.
CREATE TABLE attendance (
    lesson TEXT NOT NULL,
    device TEXT NOT NULL,
    present_ms INTEGER NOT NULL,
    heights TEXT NOT NULL,
    concealed REAL NOT NULL,
    frozen REAL NOT NULL,
    reports INTEGER NOT NULL,
    PRIMARY KEY (lesson, device)
);
CREATE TABLE ratings (
    lesson TEXT NOT NULL,
    device TEXT NOT NULL,
    stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 3),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (lesson, device)
);
CREATE TABLE usage (
    school TEXT NOT NULL,
    month TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('media', 'pages')),
    bytes INTEGER NOT NULL,
    PRIMARY KEY (school, month, kind)
);
ALTER TABLE lessons ADD COLUMN record INTEGER NOT NULL DEFAULT 1;
