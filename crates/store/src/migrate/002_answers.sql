-- Which model made an answer that a later request may go on from, by the provider's own id.
CREATE TABLE answers (
    answer   TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    model    TEXT NOT NULL
) WITHOUT ROWID;
