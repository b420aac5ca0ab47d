"""Who answers which question: the same for pages of the server, notebooks, and pages that are files."""

from handmade.errors import InputError
from handmade.web import about
from handmade.web.explorers import NAMES, explorer_named
from handmade.web.frames import Answer
from handmade.web.models import NoModel
from handmade.web.observatory import Observatory
from handmade.web.questions import asked
from handmade.web.study import AskPlan, AskReview


def answered(to: str, content: bytes, observatory: Observatory) -> Answer:
    """The answer to a question, JSON: to an explorer by its name, or to what stands around the pictures.

    A page that names no model asks before it knows whether there is one: where there is none, that is the answer.

    InputError where nobody of that name answers, and where the question does not fit.
    """
    if to == "about":
        return about.told(content, observatory)
    if to == "verdict":
        return about.verdict(content, observatory)
    if to == "predicted":
        return about.predicted(content, observatory)
    if to == "image":
        return Answer({"image": observatory.images.add(content)})
    if to == "plan":
        return observatory.study.plan(asked(AskPlan, content))
    if to == "review":
        return observatory.study.review(asked(AskReview, content))
    if to.partition("/")[0] == "jobs":
        raise InputError("trainings and long measurements are begun and watched in the browser: `handmade look`.")
    if to not in NAMES:
        raise InputError(f"nobody answers for {to[:40]!r}: there are {', '.join(NAMES)}.")
    explorer = explorer_named(to)
    try:
        return explorer.answer(asked(explorer.question, content), observatory)
    except NoModel as error:
        return Answer({"no_model": str(error)})
