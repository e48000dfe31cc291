-- What this node found when it examined a blob: 1 it encodes to its id, 0 it does not; NULL while it was not examined.
ALTER TABLE blobs ADD COLUMN sound INTEGER CHECK (sound IN (0, 1));
