-- The epoch in which an object was deleted; NULL while it was not. Bytes are due to the end of that epoch.
-- What was deleted under earlier schemas was due no longer than that.
DROP INDEX objects_by_blob;
DROP INDEX objects_deleted;
ALTER TABLE objects ADD COLUMN deleted_in INTEGER;
UPDATE objects SET deleted_in = 0 WHERE deleted = 1;
ALTER TABLE objects DROP COLUMN deleted;
CREATE INDEX objects_by_blob ON objects (blob, deleted_in, certified, end_epoch);
CREATE INDEX objects_deleted ON objects (deleted_in) WHERE deleted_in IS NOT NULL;
CREATE INDEX objects_deleted_by_blob ON objects (blob, certified, deleted_in) WHERE deleted_in IS NOT NULL;

-- The first epoch in which no object of the blob is paid for; live_until is now about taking bytes only.
ALTER TABLE blobs ADD COLUMN due_until INTEGER NOT NULL DEFAULT 0;
UPDATE blobs SET due_until = live_until;
DROP INDEX blobs_by_end;
CREATE INDEX blobs_by_end ON blobs (due_until) WHERE bytes > 0;

-- Pairs held that the node has neither to serve nor to keep for another node. No committee was ever followed by another
-- under earlier schemas, so there are none.
ALTER TABLE blobs ADD COLUMN surplus INTEGER NOT NULL DEFAULT 0;

-- When the shards that the node serves or keeps last changed, in seconds since 1970.
ALTER TABLE identity ADD COLUMN duties_since REAL NOT NULL DEFAULT 0;
