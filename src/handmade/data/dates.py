"""Dates as people write them, paired with the same in ISO 8601: generated, as many as wanted.

    Thursday, May 3rd 1979    ->    1979-05-03

A task for sequence-to-sequence models that takes minutes instead of days, after the exercise of the sequence-models
course (Ng, Katanforoosh & Bensouda Mourri). To read a date one must find its parts, in any order, and ignore the rest:
the weekday, and the sentence around half of the dates. The same formats occur alone and in sentences, so that short
and long inputs can be compared.

Ambiguous formats are decided: 5/3/79 is May 3rd (slashes: month first), and so is 3.5.79 (full stops: day first);
two-digit years are between 1950 and 2049.
"""

import datetime

import numpy as np

from handmade.data.corpus import Pairs

COUNTS = {"train": 20_000, "test": 2_000}
FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

FORMS = (
    "{year}-{mm}-{dd}",
    "{year}/{mm}/{dd}",
    "{year}{mm}{dd}",
    "{m}/{d}/{yy}",
    "{mm}/{dd}/{yy}",
    "{mm}/{dd}/{year}",
    "{d}.{m}.{yy}",
    "{dd}.{mm}.{yy}",
    "{dd}.{mm}.{year}",
    "{d} {month} {year}",
    "{d} {mon} {year}",
    "{d} {mon} '{yy}",
    "{dd}-{mon}-{yy}",
    "{dd} {mon}. {year}",
    "{d}. {month} {year}",
    "{month} {d}, {year}",
    "{mon} {d}, {year}",
    "{mon} {th} {year}",
    "{month} the {th}, {year}",
    "the {th} of {month} {year}",
    "{year} {month} {d}",
    "{weekday}, {month} {th} {year}",
    "{weekday}, {d} {month} {year}",
    "{weekday} {d} {mon} {yy}",
    "{wd} {mon} {d} {year}",
    "{wd}, {dd} {mon} {year}",
    "{weekday} the {th} of {month}, {year}",
    "in {year}, on the {th} of {month}",
)
SENTENCES = (
    "on {date} at noon",
    "paid on {date}, {n} euros",
    "see you on {date} in room {n}",
    "the meeting of {date} at noon in room {n}",
    "written on {date}, on page {n} of the diary",
    "letter {n} to the bank, received {date}, not answered",
    "the train of {date} stops at platform {k}; seats in coach {n} are sold",
    "please send the signed papers back to us before {date}, or call extension {n}",
    "order {n} left the harbour on {date} with {k} other boxes and came to us two weeks later",
    "born on {date} in a small village near the sea, she was the youngest of {k} children",
    "{n} copies of the letter were found among the papers of the bank, all of them dated {date}",
    "on the cover stood a number, {n}, a name that nobody in the room could read, and {date}, in ink",
    "{date}: the day of the great fire, of which {n} witnesses told, and of which {k} books were written",
)
CASES = (str, str.lower, str.upper)


def dates(split: str) -> Pairs:
    """The pairs of 'train' or 'test', always the same; every tenth day belongs to 'test', in whatever form."""
    rng = np.random.default_rng(0 if split == "train" else 1)
    days = np.arange(FIRST.toordinal(), LAST.toordinal() + 1)
    days = days[(days % 10 == 0) == (split == "test")]
    chosen = [datetime.date.fromordinal(day) for day in rng.choice(days, COUNTS[split]).tolist()]
    return Pairs([written(day, rng) for day in chosen], [day.isoformat() for day in chosen], "dates", split, "made")


def written(day: datetime.date, rng: np.random.Generator) -> str:
    """`day` in one of the forms and cases, every second time in a sentence, all drawn evenly."""
    form = FORMS[rng.integers(len(FORMS))]
    sentence = SENTENCES[rng.integers(len(SENTENCES))] if rng.random() < 0.5 else "{date}"
    case = CASES[rng.integers(len(CASES))]
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    date = form.format(
        d=day.day, dd=f"{day.day:02}", th=ordinal(day.day), m=day.month, mm=f"{day.month:02}", month=month,
        mon=month[:3], year=day.year, yy=f"{day.year % 100:02}", weekday=weekday, wd=weekday[:3],
    )  # fmt: skip
    return case(sentence.format(date=date, n=rng.integers(100, 10_000), k=rng.integers(2, 32)))


def ordinal(number: int) -> str:
    """'1st', '2nd', '3rd', '4th', ..."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
