"""From each older schema to the next: SQL that both databases understand."""

MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "DROP INDEX box_picture",
        "DROP INDEX box_label",
        "DROP INDEX picture_state",
        "CREATE INDEX box_picture ON box (picture, removed)",
        "CREATE INDEX box_label ON box (label, removed)",
        "CREATE INDEX picture_order ON picture (removed, place, id)",
        "CREATE INDEX picture_state_order ON picture (removed, state, place, id)",
    ),
}
"""By the older version, the statements that lead to the next one."""
