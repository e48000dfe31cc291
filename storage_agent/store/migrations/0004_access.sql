-- Requests for keys that were answered. A nonce counts once for its requester; forgotten when the request has long expired.
CREATE TABLE nonces (
    requester TEXT NOT NULL,
    nonce BLOB NOT NULL,
    expires INTEGER NOT NULL,              -- seconds since 1970
    PRIMARY KEY (requester, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_end ON nonces (expires);

-- Uses of data for which a key was released, each once, with what paid for it. Amounts are 16 bytes, sequences 8 bytes,
-- big-endian, so that they compare as numbers do.
CREATE TABLE uses (
    use BLOB PRIMARY KEY,                  -- digest of who, what, what for, and the sequence
    requester TEXT NOT NULL,
    object INTEGER NOT NULL,
    sequence BLOB NOT NULL,
    paid_by INTEGER NOT NULL CHECK (paid_by IN (0, 1, 2)),  -- 0 free, 1 bought on chain, 2 voucher
    amount BLOB NOT NULL,
    pool INTEGER NOT NULL                  -- the revenue pool; 0 for none
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX uses_bought ON uses (object, requester, sequence) WHERE paid_by = 1;

-- What vouchers paid under each session grant, which has a spend limit; forgotten when the grant has long ended.
CREATE TABLE sessions (
    session BLOB PRIMARY KEY,              -- digest of the grant
    spent BLOB NOT NULL,
    ends INTEGER NOT NULL                  -- seconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (ends);

-- Vouchers that were accepted: each pays for one use with the stretch above `first` up to `last`. Stretches of a channel
-- never overlap: the one who writes looks before.
CREATE TABLE vouchers (
    channel INTEGER NOT NULL,
    last BLOB NOT NULL,                    -- the voucher's cumulative amount
    first BLOB NOT NULL,                   -- its cumulative amount less its amount
    use BLOB NOT NULL UNIQUE REFERENCES uses (use),
    signature BLOB NOT NULL,
    PRIMARY KEY (channel, last),
    CHECK (first < last)
) STRICT, WITHOUT ROWID;

-- Up to where channels are redeemed for good, whoever did it. A channel is asked about while a voucher promises more.
CREATE TABLE redeemed (
    channel INTEGER PRIMARY KEY,
    upto BLOB NOT NULL
) STRICT;

-- Revenue pools that uses were paid into, and the first epoch of such income that was not settled since.
CREATE TABLE incomes (
    pool INTEGER PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT;

-- Receipts, one for each released key, numbered within their epoch from 0. An epoch that is sealed gets no more.
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    place INTEGER NOT NULL,
    object INTEGER NOT NULL,
    digest BLOB NOT NULL,
    data TEXT NOT NULL,                    -- the receipt as it travels
    signature BLOB NOT NULL,
    UNIQUE (epoch, place)
) STRICT;
CREATE INDEX receipts_by_object ON receipts (object, number);

-- Sealed epochs with the root of their receipts, and whether the chain has it for good.
CREATE TABLE anchors (
    epoch INTEGER PRIMARY KEY,
    root BLOB NOT NULL,
    count INTEGER NOT NULL,
    anchored INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Keys of their own for objects that are to be erased one day. The secrets are in files; what is destroyed is never made
-- again.
CREATE TABLE erasable_keys (
    object INTEGER PRIMARY KEY,
    public_key BLOB NOT NULL,
    destroyed_at REAL,                     -- seconds since 1970; NULL while the key is there
    attested INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX erasable_keys_left ON erasable_keys (object) WHERE destroyed_at IS NULL;
CREATE INDEX erasable_keys_destroyed ON erasable_keys (object) WHERE destroyed_at IS NOT NULL AND attested = 0;
