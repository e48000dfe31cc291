-- Uses can be paid by jobs now. The table is made anew, since SQLite changes no CHECK.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE uses_before AS SELECT * FROM uses;
DROP TABLE uses;
CREATE TABLE uses (
    use BLOB PRIMARY KEY,                  -- digest of who, what, what for, and the sequence
    requester TEXT NOT NULL,
    object INTEGER NOT NULL,
    sequence BLOB NOT NULL,
    paid_by INTEGER NOT NULL CHECK (paid_by IN (0, 1, 2, 3)),  -- 0 free, 1 bought on chain, 2 voucher, 3 job
    amount BLOB NOT NULL,
    pool INTEGER NOT NULL                  -- the revenue pool; 0 for none
) STRICT, WITHOUT ROWID;
INSERT INTO uses SELECT * FROM uses_before;
DROP TABLE uses_before;
CREATE UNIQUE INDEX uses_bought ON uses (object, requester, sequence) WHERE paid_by = 1;

-- How far jobs and triggers were looked for.
CREATE TABLE jobs_seen (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    jobs INTEGER NOT NULL,                 -- all jobs up to this number were seen
    triggers INTEGER NOT NULL,
    block INTEGER NOT NULL                 -- those after them were requested after this block, or near it
) STRICT;
INSERT INTO jobs_seen (only, jobs, triggers, block) VALUES (1, 0, 0, 0);

-- Jobs that are not over as far as this node knows. A reorganisation may give a number to another job: `terms` tell.
CREATE TABLE open_jobs (
    job INTEGER PRIMARY KEY,
    first_block INTEGER NOT NULL,          -- it was requested after it, or near it
    terms BLOB,                            -- as the contract encodes them; NULL until they are needed
    hash BLOB                              -- of them
) STRICT;

-- What this node found by running jobs. A row is written once, before anything is said on chain, and never changed but
-- for its last two columns: so a node commits to one result, whatever happens.
CREATE TABLE results (
    job INTEGER NOT NULL,
    hash BLOB NOT NULL,                    -- of the terms
    result BLOB,                           -- hash of the result; NULL where the node gave up
    size INTEGER NOT NULL,                 -- bytes of the output
    salt BLOB NOT NULL,
    why TEXT NOT NULL,                     -- how the run ended, or why there was none
    sealed INTEGER NOT NULL,               -- whether the output is kept sealed
    found_at REAL NOT NULL,                -- seconds since 1970
    revealed INTEGER NOT NULL DEFAULT 0,   -- whether the result was shown on chain: then the output is served
    gone INTEGER NOT NULL DEFAULT 0,       -- whether the output was deleted
    PRIMARY KEY (job, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX results_by_age ON results (found_at) WHERE gone = 0;

-- Triggers that were seen.
CREATE TABLE triggers (
    number INTEGER PRIMARY KEY,
    first_block INTEGER NOT NULL
) STRICT;
