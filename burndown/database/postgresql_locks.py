"""The locks of a PostgreSQL store, by which what one has read is unchanged when it writes.

They are advisory locks, since a lock of a table would make autovacuum wait, too. Their keys have
the id of a table, so that programs with different search paths wait for each other if they use the
same table. Until the tables are created, all use the same keys.
"""

import zlib

__all__ = ["lock_expressions"]

_TABLE = "pg_catalog.to_regclass('app_state')::oid"
_STORE = f"{int.from_bytes(b'burn') << 32} | coalesce({_TABLE}::bigint, 0)"
_ALONE = f"pg_catalog.pg_advisory_xact_lock({_STORE})"
_SCOPED = (
    f"pg_catalog.pg_advisory_xact_lock_shared({_STORE}), "
    f"pg_catalog.pg_advisory_xact_lock(coalesce({_TABLE}::int, 0), %s)"
)


def lock_expressions(scope: str | None) -> tuple[str, list[int]]:
    """Return the expressions that wait for the locks of a transaction, and their parameters.

    Transactions with a scope wait for those with the same scope, and for those without one, which
    wait for all. They cannot wait for each other: each locks the store first, and then at most one
    scope.

    Args:
        scope: all that the transaction reads and writes, such as a profile; ``None`` for the store.
    """
    if scope is None:
        return _ALONE, []
    # Two scopes with the same number only wait for each other.
    number = zlib.crc32(scope.encode(errors="surrogatepass"))
    return _SCOPED, [int.from_bytes(number.to_bytes(4), signed=True)]
