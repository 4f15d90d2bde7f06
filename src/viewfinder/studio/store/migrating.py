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
    2: (
        "CREATE TABLE carried ( picture INTEGER NOT NULL, track TEXT NOT NULL, "
        "first TEXT NOT NULL, second TEXT NOT NULL, x1 FLOAT NOT NULL, y1 FLOAT NOT NULL, "
        "x2 FLOAT NOT NULL, y2 FLOAT NOT NULL, sure FLOAT NOT NULL, PRIMARY KEY (picture, track) )",
    ),
}
"""By the older version, the statements that lead to the next one."""
