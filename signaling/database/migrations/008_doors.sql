-- Whether an open lesson is hushed, and who was inside when its teacher locked it: JSON {subs, tabs}, NULL: not locked.
CREATE TABLE doors (lesson TEXT PRIMARY KEY, hush INTEGER NOT NULL, inside TEXT);
