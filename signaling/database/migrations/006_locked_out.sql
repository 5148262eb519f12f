-- Logins that wait after too many wrong passwords; times are Unix seconds.
CREATE TABLE locked_out (login TEXT PRIMARY KEY, wrong INTEGER NOT NULL, last_s REAL NOT NULL);
