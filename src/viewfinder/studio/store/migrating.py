"""From each older schema to the next: SQL that both databases understand."""

MIGRATIONS: dict[int, tuple[str, ...]] = {}
"""By the older version, the statements that lead to the next one."""
