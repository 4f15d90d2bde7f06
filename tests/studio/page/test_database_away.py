"""A database that does not answer for a while, and the page that waits for it."""

import pytest
from studio_page import Person, ready, until

from viewfinder.studio.store import Operation, PutClass, open_store


# The driver leaves a socket open that it could not connect.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
def test_a_database_that_is_away_is_said_and_the_page_goes_on_by_itself(
    photos, new_schema, postgres, serve, visit
):
    store = open_store(photos, url=new_schema(), wait=True)
    store.apply(Operation("k", (PutClass("k", "K", 0),)))
    served = serve(store)
    person = Person(visit(served.address.url), store)
    context = person.page.context

    def says(page, *texts):
        said = page.locator("#away").text_content() or ""
        return all(text in said for text in texts) and "The server does not" not in said

    with postgres.stopped():
        person.drag((4, 4), (30, 16))
        person.page.evaluate("viewfinder.status().catch(() => {})")
        until(lambda: says(person.page, "The database does not answer", "1 edit is kept"))
        person.page.close()
        page = context.new_page()  # opened anew meanwhile
        page.goto(served.root)
        until(lambda: says(page, "The database does not answer", "1 edit is kept"))
        assert page.locator("#away").is_visible()
        assert page.locator("#sending").inner_text() == "offline, 1 kept here"
        assert "timeout is None" not in page.locator("#away").inner_text()
    until(lambda: len(store.picture(1).boxes) == 1)
    page.locator("#away").wait_for(state="hidden")
    ready(page)
    until(lambda: page.locator("#sending").inner_text() == "saved")
    until(lambda: page.evaluate("viewfinder.studio.boxes.size") == 1)
