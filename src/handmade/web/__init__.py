"""The observatory: pages in the browser over the live models and over the learner's own code.

`handmade look` starts it. Nothing is canned, nothing comes from elsewhere, nothing leaves the machine.

How an explorer is added, in four files and no line in any other:

- `explorers/NAME.py` answers its questions. It ends in `EXPLORER = Explorer(...)` and holds no mathematics: what it
  shows is computed in `lens` or by the model. Its question is a dataclass whose fields come from `questions.py`, which
  refuses whatever does not fit them.
- `pages.py` has its title, its question and a sentence or two, in the order of study: what is sent before anything
  that answers is loaded.
- `static/explorers/NAME.js` draws them. It exports what `explorer()` of `static/lib/shell.js` makes of a function
  `(host, scope) => component`: all that it asks goes through `host`, all that it listens to through `scope`.
- `tests/web/explorers/test_NAME.py`: the arrays are those of the lens and of the model, and what the page does in
  Chromium (`page`, `opened` and `check_access` of tests/web/conftest.py).

Outside of the server the same files stand in notebooks (`notebooks.explore`, widget.py) and in pages saved as one file
(exporting.py). What differs is the host, of which static/lib/shell.js says what it has.

A question goes to POST /api/NAME as JSON and comes back as one frame (frames.py): arrays by name and JSON beside them.
Trainings are jobs: a child process each (trainer.py), whose events pages read as a stream (jobs.py), and which obeys
what they ask for at POST /api/jobs (steering.py). What an explorer tells in `pieces`, because it takes long, is a job,
too: POST /api/jobs/NAME begins it, in a thread that lets others ask the model between two pieces (measuring.py).
Whose code computes (the reference, the learner's, or the reference with a mistake) is one function, `whose.computed`.
"""
