-- Rehearsals with the real classrooms, the last ones: what each classroom got, as JSON.
CREATE TABLE rehearsals (
    id TEXT PRIMARY KEY,
    lesson TEXT NOT NULL,
    begin_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    rows TEXT NOT NULL
);
