"""The plan and the cards on their pages: the facts of the commands, and ratings in the same record."""

import json
import threading
from datetime import UTC, datetime

import pytest

from handmade.errors import InputError
from handmade.study.journal import NAME, journal_around
from handmade.study.overview import plan_as_data
from handmade.study.session import Chosen, Session
from handmade.study.standing import standing_of
from handmade.web.bench import Bench
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.web.study import AskPlan, AskReview, Study
from handmade.workshop.workspace import Workspace
from tests.web.conftest import Pages, running


@pytest.fixture
def learner(tmp_path, monkeypatch):
    """A workspace of one's own, with a journal of its own."""
    monkeypatch.setenv("HANDMADE_STUDY", str(tmp_path / "home"))
    folder = tmp_path / "workshop"
    Workspace(folder).file("softmax").parent.mkdir(parents=True)
    Workspace(folder).file("softmax").touch()  # one exercise makes it a workspace
    return folder


@pytest.fixture
def study(learner):
    return Study(learner)


@pytest.fixture
def own_pages(browser, learner, study):
    """Pages over this learner alone."""
    observatory = Observatory(Models(learner), Bench(Workspace(learner)), study=study)
    with running(observatory) as server:
        pages = Pages(browser, server)
        yield pages
        for context in pages.contexts:
            context.close()
    observatory.close()
    assert not pages.problems, pages.problems


def reviews(folder):
    return [event for event in journal_around(folder)[0].events() if event.what == "review"]


def ask(study, **fields):
    return study.review(asked(AskReview, json.dumps(fields).encode())).meta


def test_the_plan_is_that_of_the_command(study, learner):
    told = study.plan(AskPlan()).meta
    journal, workspace = journal_around(learner)
    data = plan_as_data(standing_of(journal, workspace, datetime.now(UTC)))
    assert told["due"] == len(data["due"])
    assert told["next"] == data["next"]
    for mine, theirs in zip(told["items"], data["items"], strict=True):
        assert {**mine, "look": theirs["look"]} == {**mine, **theirs}
    first = told["next"]["watch"]
    assert study.plan(AskPlan(done=first)).meta["next"]["watch"] != first
    assert study.plan(AskPlan(undo=first)).meta["next"]["watch"] == first
    with pytest.raises(InputError, match="not ticked"):
        study.plan(AskPlan(done="lenet5"))


def test_a_rating_is_in_the_record_at_once_and_can_be_undone(study, learner):
    card = ask(study)["card"]
    assert "answer" not in card
    shown = ask(study, do="show", card=card["id"])["card"]
    assert (shown["id"], bool(shown["answer"]), sorted(shown["dates"])) == (card["id"], True, [1, 2, 3, 4])
    told = ask(study, do="rate", card=card["id"], rating=4, seconds=7.4)
    (event,) = reviews(learner)
    assert (event["card"], event["rating"], event["seconds"], event["where"]) == (card["id"], 4, 7, "page")
    assert told["answered"] == 1
    journal, workspace = journal_around(learner)
    assert Session(journal, workspace, Chosen()).current() == told["card"]["id"]  # what the terminal would ask
    assert ask(study, do="undo")["card"]["id"] == card["id"]
    assert reviews(learner) == []
    assert not ask(study, do="undo")["undone"]


def test_a_card_is_rated_once_however_often_it_is_sent(study, learner):
    card, refused = ask(study)["card"]["id"], []

    def rate():
        try:
            ask(study, do="rate", card=card, rating=3)
        except InputError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=rate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(reviews(learner)) == 1
    assert len(refused) == 3
    assert "has been answered" in refused[0]


def test_what_the_terminal_answered_meanwhile_is_not_asked_again(study, learner):
    first = ask(study)["card"]["id"]
    journal, workspace = journal_around(learner)
    Session(journal, workspace, Chosen()).rate(first, 4, 1)
    assert ask(study)["card"]["id"] != first
    with pytest.raises(InputError, match="has been answered"):
        ask(study, do="rate", card=first, rating=3)


def test_numbers_are_graded_and_skipped_cards_come_another_day(study, learner):
    drill = ask(study, numbers=True)["card"]
    assert drill["kind"] == "number"
    with pytest.raises(InputError, match="that is no number"):
        ask(study, numbers=True, do="type", card=drill["id"], typed="many")
    told = ask(study, numbers=True, do="type", card=drill["id"], typed="-123456")
    assert (told["typed"]["right"], told["typed"]["ask"]) == (False, drill["ask"])
    assert reviews(learner)[0]["rating"] == 1
    card = ask(study)["card"]["id"]
    assert ask(study, do="skip", card=card)["card"]["id"] != card
    assert len(reviews(learner)) == 1


def test_only_our_own_pages_with_the_key_may_rate(server, learner, monkeypatch):
    """The guard's rules hold for what changes the record."""
    refused = [
        server.request("/api/review", {"do": "undo"}, origin="http://localhost:1")[0],
        server.request("/api/review", {"do": "undo"}, authorization=None)[0],
        server.request("/api/plan", {"done": "cs231n-5"}, authorization="Bearer x")[0],
        server.request("/api/plan", method="GET")[0],
    ]
    assert refused == [403, 401, 401, 405]


# --- the pages ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_review_by_keys_alone_on_a_phone(own_pages, learner):
    page = own_pages.open("/review", width=420, color_scheme="dark")
    question = page.get_by_test_id("ask").inner_text()
    page.keyboard.press("3")  # nothing is rated before the answer was shown
    page.keyboard.press(" ")
    page.get_by_test_id("answer").wait_for()
    page.keyboard.press("4")
    page.wait_for_function("(asked) => document.querySelector('[data-id=ask]').textContent !== asked", arg=question)
    assert [event["rating"] for event in reviews(learner)] == [4]
    assert page.evaluate("() => document.documentElement.scrollWidth") == 420
    page.keyboard.press("u")
    page.get_by_text("The last rating is undone.").wait_for()
    assert page.get_by_test_id("ask").inner_text() == question
    assert reviews(learner) == []
    page.keyboard.press("n")
    field = page.get_by_label("The number")
    field.fill("-123456")
    field.press("Enter")
    page.get_by_test_id("was").wait_for()
    assert [event["rating"] for event in reviews(learner)] == [1]
    assert (learner / NAME).exists()


@pytest.mark.slow
def test_the_plan_is_ticked_by_key_and_leads_to_the_cards(own_pages, learner):
    page = own_pages.open("/plan")
    first = page.locator(".item.on")
    first.get_by_role("button", name="not watched").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("d")
    page.locator(".item.on").get_by_role("button", name="watched", exact=True).wait_for()
    assert [event["item"] for event in journal_around(learner)[0].events() if event.what == "watched"] == ["cs231n-5"]
    page.keyboard.press("r")
    page.get_by_test_id("ask").wait_for()


@pytest.mark.slow
def test_everyone_can_read_them(own_pages):
    from axe_playwright_python.sync_playwright import Axe

    for path, scheme in (("/plan", "light"), ("/review", "dark")):
        page = own_pages.open(path, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
        page.keyboard.press(" ")
        found = Axe().run(page)
        said = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found.response["violations"]]
        assert not said, (path, scheme, said)
