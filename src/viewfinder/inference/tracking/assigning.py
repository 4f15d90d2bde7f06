"""Which of some things belong to which of others, so that the sum of their costs is least."""

import numpy as np
from numpy.typing import NDArray


def assign(costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs of rows and columns of M×N finite costs, as many as the lesser of both, of least sum.

    Kuhn's method with potentials, as Jonker and Volgenant have it (1987): rows are added one by
    one, each along the shortest path on which others give way.
    """
    if costs.shape[0] > costs.shape[1]:
        return sorted((row, column) for column, row in assign(costs.T))
    rows, columns = costs.shape
    of_rows, of_columns = np.zeros(rows), np.zeros(columns)
    taken = np.full(columns, -1)  # the row that each column has
    for row in range(rows):
        least, came_from = np.full(columns, np.inf), np.full(columns, -1)
        done = np.zeros(columns, np.bool_)
        now, last, reached = row, -1, 0.0
        while now >= 0:
            way = reached + costs[now] - of_rows[now] - of_columns
            better = ~done & (way < least)
            least[better], came_from[better] = way[better], last
            last = int(np.argmin(np.where(done, np.inf, least)))
            reached, done[last], now = float(least[last]), True, int(taken[last])
        # What was passed on the way keeps reduced costs at 0.
        passed = done & (taken >= 0)
        of_rows[row] += reached
        of_rows[taken[passed]] += reached - least[passed]
        of_columns[done] += least[done] - reached
        while last >= 0:
            before = int(came_from[last])
            taken[last] = row if before < 0 else taken[before]
            last = before
    return sorted((int(row), column) for column, row in enumerate(taken.tolist()) if row >= 0)
