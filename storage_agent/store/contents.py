"""Content ids in the catalogue, for stores that name bytes by their content."""

from __future__ import annotations

from storage_agent.store.database import Database


class Contents:
    """Which content id each key stands for, on the catalogue's database; a `slivers.ContentIndex`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def content_of(self, key: str) -> str | None:
        """The content id under `key`; none when there is none."""
        with self._database.read() as connection:
            row = connection.execute("SELECT content FROM contents WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def content_is_used(self, content: str) -> bool:
        """Whether any key stands for a content id."""
        with self._database.read() as connection:
            row = connection.execute("SELECT 1 FROM contents WHERE content = ? LIMIT 1", (content,)).fetchone()
        return row is not None

    def content_keys(self, prefix: str, after: str, limit: int) -> list[str]:
        """The next keys below the folder `prefix`, in order."""
        first, end = max(f"{prefix}/", after), f"{prefix}0"  # "0" is what follows "/"
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT key FROM contents WHERE key > ? AND key < ? ORDER BY key LIMIT ?", (first, end, limit)
            ).fetchall()
        return [str(row[0]) for row in rows]

    async def set_content(self, key: str, content: str) -> None:
        """Have `key` stand for a content id; durable on return."""
        await self._database.write(lambda c: c.execute("INSERT OR REPLACE INTO contents VALUES (?, ?)", (key, content)))

    async def forget_content(self, key: str) -> None:
        """Have `key` stand for nothing."""
        await self._database.write(lambda c: c.execute("DELETE FROM contents WHERE key = ?", (key,)))
