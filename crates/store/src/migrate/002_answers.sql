-- Which model made an answer that a later request may go on from, by the provider's own id of it;
-- ids are a provider's own, and only the key that was given the answer may go on from it.
CREATE TABLE answers (
    answer   TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    model    TEXT    NOT NULL,
    key      TEXT    NOT NULL, -- the caller's key; empty where nobody is asked for one
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (answer, provider)
) WITHOUT ROWID;
