-- Which network and node this catalogue is for. One row.
CREATE TABLE identity (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    network TEXT NOT NULL,                 -- chain id and registry address
    node INTEGER NOT NULL,
    high_water INTEGER NOT NULL DEFAULT 0  -- the highest block the chain was ever followed to
) STRICT;

-- Blocks up to which the chain was followed; the newest is the cursor, the lowest is the anchor.
CREATE TABLE trail (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    last_object INTEGER NOT NULL
) STRICT;

-- Every blob that a fact names. The standing is folded from its objects; held and bytes count packs and metadata.
CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    blob_id BLOB NOT NULL UNIQUE,
    live_until INTEGER NOT NULL DEFAULT 0,
    certified_until INTEGER NOT NULL DEFAULT 0,
    invalid INTEGER NOT NULL DEFAULT 0,
    size INTEGER,                          -- from the metadata; NULL while there is none
    segments INTEGER,
    held INTEGER NOT NULL DEFAULT 0,       -- pairs held that the node must hold
    bytes INTEGER NOT NULL DEFAULT 0       -- of pairs and metadata
) STRICT;
CREATE INDEX blobs_by_end ON blobs (live_until) WHERE bytes > 0;
CREATE INDEX blobs_by_certificate ON blobs (certified_until) WHERE certified_until > 0;

-- What the chain said, in chain order.
CREATE TABLE facts (
    block INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    kind TEXT NOT NULL,
    blob INTEGER,
    object INTEGER,
    data TEXT NOT NULL,                    -- the fact's fields as JSON
    PRIMARY KEY (block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_by_object ON facts (object) WHERE object IS NOT NULL;
CREATE INDEX facts_by_kind ON facts (kind, blob) WHERE object IS NULL;

-- One row for each object: the fold of its facts.
CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    blob INTEGER NOT NULL REFERENCES blobs (id),
    size INTEGER NOT NULL,
    start_epoch INTEGER NOT NULL,
    end_epoch INTEGER NOT NULL,
    deletable INTEGER NOT NULL,
    certified INTEGER NOT NULL,
    deleted INTEGER NOT NULL
) STRICT;
CREATE INDEX objects_by_blob ON objects (blob, deleted, certified, end_epoch);
CREATE INDEX objects_by_end ON objects (end_epoch);
CREATE INDEX objects_deleted ON objects (id) WHERE deleted = 1;

-- The metadata of a blob, as it travels.
CREATE TABLE metadata (
    blob INTEGER PRIMARY KEY REFERENCES blobs (id),
    data BLOB NOT NULL
) STRICT;

-- Bytes that were stored together. `data` holds small packs; larger ones are in the sliver store under their number.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    blob INTEGER NOT NULL REFERENCES blobs (id),
    segment INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    checked_at REAL NOT NULL,              -- seconds since 1970: when its bytes were last known to be right
    data BLOB
) STRICT;
CREATE INDEX packs_by_blob ON packs (blob);
CREATE INDEX packs_by_check ON packs (checked_at);

-- Which sliver pairs are durable, and where.
CREATE TABLE pairs (
    blob INTEGER NOT NULL REFERENCES blobs (id),
    segment INTEGER NOT NULL,
    pair INTEGER NOT NULL,
    pack INTEGER NOT NULL REFERENCES packs (id),
    start INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (blob, segment, pair)
) STRICT, WITHOUT ROWID;
CREATE INDEX pairs_by_pack ON pairs (pack);

-- Packs in the sliver store that nothing refers to any more.
CREATE TABLE garbage (
    pack INTEGER PRIMARY KEY
) STRICT;

-- Attestations that were given, for the operator's records.
CREATE TABLE attestations (
    object INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    blob INTEGER NOT NULL REFERENCES blobs (id),
    deletable INTEGER NOT NULL,
    signer TEXT NOT NULL,
    signature BLOB NOT NULL,
    given_at REAL NOT NULL,
    PRIMARY KEY (object, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX attestations_by_blob ON attestations (blob);

-- What is to be done. Kind and blob (0 where no blob is concerned) are the key under which it is done once.
CREATE TABLE work (
    kind TEXT NOT NULL,
    blob INTEGER NOT NULL,
    not_before REAL NOT NULL,              -- seconds since 1970
    attempts INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, blob)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_by_time ON work (kind, not_before);

-- For stores that name bytes by their content: which content id each key stands for.
CREATE TABLE contents (
    key TEXT PRIMARY KEY,
    content TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contents_by_content ON contents (content);
