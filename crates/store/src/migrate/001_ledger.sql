-- One row an attempt. `decision` is a UUIDv7, so the key is the order of time.
CREATE TABLE attempts (
    decision      BLOB    NOT NULL,
    attempt       INTEGER NOT NULL, -- from 1, in the order they were made
    at_ms         INTEGER NOT NULL, -- when it began, milliseconds since 1970 UTC
    key           TEXT,             -- name of the caller's key
    task          TEXT    NOT NULL,
    asked         TEXT    NOT NULL, -- the model as the caller named it
    provider      TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    streamed      INTEGER NOT NULL,
    outcome       TEXT    NOT NULL, -- answered | failed | cancelled
    failure       TEXT,             -- code of the failure
    fault         TEXT,             -- client | policy | provider | gateway
    status        INTEGER,          -- what the provider answered with
    input         INTEGER,          -- tokens; NULL where nobody knows
    cached_input  INTEGER,
    cache_write   INTEGER,
    output        INTEGER,
    reasoning     INTEGER,
    counted       TEXT,             -- reported | estimated; NULL where unknown
    cost_nano     INTEGER,          -- nano-dollars; NULL where unpriced
    prices        TEXT,             -- version of the price list
    first_byte_us INTEGER,          -- from sending to the first content
    total_us      INTEGER NOT NULL,
    PRIMARY KEY (decision, attempt)
) WITHOUT ROWID;

-- Why a request went where it went, as a JSON record.
CREATE TABLE decisions (
    decision BLOB PRIMARY KEY,
    record   TEXT NOT NULL
) WITHOUT ROWID;
