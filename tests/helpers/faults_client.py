"""A client that speaks to the studio as its page does, and knows what the studio must then have."""

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 8.0
"""Seconds until what was not answered is sent once more."""


class Client:
    """Edits the pictures that are its own, one after another, each until it is answered.

    Attributes:
        boxes: by id, what the store must have: picture, corners, revision.
        states: by picture, its state and revision.
        acknowledged: ids of operations, in order.
        spent: seconds of each edit from the first sending to the answer.
    """

    def __init__(self, url: Callable[[], str], pictures: list[int], seed: int) -> None:
        self._url, self._random = url, random.Random(seed)
        self._pictures = pictures
        self._connection: http.client.HTTPConnection | None = None
        self._cookie = ""
        self.headers: dict[str, str] = {}
        self._let_in_by = ""
        self.boxes: dict[str, tuple[int, list[float], int]] = {}
        self.gone: dict[str, tuple[int, list[float], int]] = {}
        self.states: dict[int, tuple[str, int]] = {}
        self._undo: list[tuple[int, list[tuple[str, Any, Any]]]] = []
        self.acknowledged: list[str] = []
        self.again = 0
        self.spent: list[float] = []
        self.refused: list[str] = []

    def adopt(self) -> None:
        """Take over what the store has of the pictures."""
        for picture in self._pictures:
            one = self.read(picture)
            self.states[picture] = one["picture"]["state"], one["picture"]["revision"]
            for box in one["boxes"]:
                self.boxes[box["id"]] = picture, box["corners"], box["revision"]

    def edit(self, count: int) -> None:
        """Make so many edits."""
        for _ in range(count):
            if self._undo and self._random.random() < 0.1:
                self._turn_back()
            else:
                self._change()

    def read(self, picture: int) -> Any:
        status, answer = self.until_answered("GET", f"/api/pictures/{picture}", None)
        assert status == 200, answer
        return answer

    def faults(self) -> tuple[int, int]:
        """What the store lacks of what was acknowledged, and what it has twice or too much of."""
        lost = doubled = 0
        seen: dict[str, tuple[int, list[float], int]] = {}
        for picture in self._pictures:
            one = self.read(picture)
            state, revision = self.states[picture]
            lost += one["picture"]["revision"] < revision or one["picture"]["state"] != state
            doubled += one["picture"]["revision"] > revision
            for box in one["boxes"]:
                doubled += box["id"] in seen
                seen[box["id"]] = picture, box["corners"], box["revision"]
        for id, box in self.boxes.items():
            if id not in seen or seen[id][2] < box[2]:
                lost += 1
            elif seen[id] != box:
                doubled += 1
        return lost, doubled + len(set(seen) - set(self.boxes))

    def _change(self) -> None:
        changes: list[dict[str, Any]] = []
        undo: list[tuple[str, Any, Any]] = []
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            kind = self._random.random()
            own = [id for id in self.boxes if id not in {each[1] for each in undo}]
            if kind < 0.5 or not own:
                id, picture = str(uuid.uuid4()), self._random.choice(self._pictures)
                changes.append(self._put(id, picture, 0))
                undo.append(("box", id, None))
            elif kind < 0.8:
                id = self._random.choice(own)
                changes.append(self._put(id, self.boxes[id][0], self.boxes[id][2]))
                undo.append(("box", id, self.boxes[id]))
            elif kind < 0.9:
                id = self._random.choice(own)
                changes.append({"do": "RemoveBox", "id": id, "base": self.boxes[id][2]})
                undo.append(("box", id, self.boxes[id]))
            else:
                picture = self._random.choice(self._pictures)
                if ("state", picture) in {each[:2] for each in undo}:
                    continue
                state = self._random.choice(("todo", "done", "skipped"))
                base = self.states[picture][1]
                changes.append({"do": "SetState", "picture": picture, "state": state, "base": base})
                undo.append(("state", picture, self.states[picture]))
        if not changes:
            return
        answer = self._post("/api/operations", {"changes": changes})
        if answer is None:
            return
        for change in changes:
            self._now(change)
        self._undo = [*self._undo[-20:], (answer["seq"], undo)]

    def _put(self, id: str, picture: int, base: int) -> dict[str, Any]:
        x, y = self._random.uniform(0, 20), self._random.uniform(0, 10)
        corners = [x, y, x + self._random.uniform(1, 20), y + self._random.uniform(1, 10)]
        put = {"do": "PutBox", "id": id, "picture": picture, "label": "k", "base": base}
        return put | {"corners": corners}

    def _now(self, change: dict[str, Any]) -> None:
        if change["do"] == "SetState":
            self.states[change["picture"]] = change["state"], change["base"] + 1
        elif change["do"] == "RemoveBox":
            picture, corners, revision = self.boxes.pop(change["id"])
            self.gone[change["id"]] = picture, corners, revision + 1
        else:
            revision = change["base"] + 1
            self.boxes[change["id"]] = change["picture"], change["corners"], revision

    def _turn_back(self) -> None:
        seq, changes = self._undo.pop()
        if self._post("/api/undo", {"seq": seq}) is None:
            return
        for kind, id, before in changes:
            if kind == "state":
                self.states[id] = before[0], self.states[id][1] + 1
            elif before is None:
                picture, corners, revision = self.boxes.pop(id)
                self.gone[id] = picture, corners, revision + 1
            else:
                revision = (self.boxes.get(id) or self.gone[id])[2]
                self.boxes[id] = *before[:2], revision + 1

    def _post(self, path: str, document: dict[str, Any]) -> Any:
        id = str(uuid.uuid4())
        start = time.perf_counter()
        status, answer = self.until_answered("POST", path, document | {"id": id})
        self.spent.append(time.perf_counter() - start)
        if status != 200:
            self.refused.append(f"{status} {answer}"[:300])
            return None
        self.acknowledged.append(id)
        self.again += answer["again"]
        return answer

    def until_answered(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        while True:
            try:
                status, answer = self._ask(method, path, document)
            except (OSError, http.client.HTTPException, ValueError):
                self._hang_up()
                time.sleep(0.1)
                continue
            if status < 500 and status not in (401, 403, 408, 421, 429):
                return status, answer
            # As the page's outbox: it would be right later.
            self._hang_up()
            time.sleep(0.1)

    def _ask(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        if self._connection is None:
            self._let_in()
        assert self._connection is not None
        body = None if document is None else json.dumps(document)
        headers = {"Cookie": self._cookie, "Content-Type": "application/json", **self.headers}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ask_bytes(self, path: str) -> bytes:
        if self._connection is None:
            self._let_in()
        assert self._connection is not None
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status == 200, data[:300]
        return data

    def _let_in(self) -> None:
        address = urlsplit(self._url())
        self._connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
        if self._let_in_by != address.geturl():
            self._connection.request("GET", f"/?{address.query}")
            answer = self._connection.getresponse()
            answer.read()
            if answer.status != 303:
                raise ConnectionError(answer.status)
            self._cookie = answer.headers["set-cookie"].partition(";")[0]
            self._let_in_by = address.geturl()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def together(clients: list[Client], count: int) -> list[threading.Thread]:
    """Let all of them edit at once, each in a thread that was started."""
    threads = [threading.Thread(target=each.edit, args=(count,), daemon=True) for each in clients]
    for thread in threads:
        thread.start()
    return threads
