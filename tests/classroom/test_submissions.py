"""Which file is whose, in every layout; and nothing that is odd stops the others."""

import os
import zipfile

import pytest

from handmade.classroom.roster import read_roster
from handmade.classroom.submissions import collected, collected_of_one
from handmade.errors import InputError
from tests.classroom.conftest import RIGHT, WRONG


def shown(found) -> list[tuple[str, str, str]]:
    return [(one.student, one.exercise, str(one.place)) for one in found.handed]


def notes(found) -> str:
    return "\n".join(f"{note.student}: {note.text}" for note in found.notes)


def test_a_folder_or_a_zip_for_each_student(handed):
    found = collected(
        handed({"ada/softmax.py": RIGHT, "ada/deep/linear.py": "", "李华.zip": {"homework/softmax.py": RIGHT}})
    )
    assert shown(found) == [
        ("ada", "softmax", "softmax.py"),
        ("ada", "linear", "linear.py"),
        ("李华", "softmax", "李华.zip/homework/softmax.py"),
    ]
    assert found.students == ["ada", "李华"]
    assert found.notes == []


def test_canvas_exports_flat_files(handed):
    folder = handed(
        {
            "lovelaceada_LATE_12_345_softmax-1.py": WRONG,
            "lovelaceada_12_346_softmax-2.py": RIGHT,
            "lovelaceada_12_347_linear.py": "",
            "turingalan_13_400_work.zip": {"softmax.py": RIGHT},
        }
    )
    found = collected(folder)
    assert [(student, exercise) for student, exercise, _ in shown(found)] == [
        ("lovelaceada", "softmax"),
        ("lovelaceada", "linear"),
        ("turingalan", "softmax"),
    ]
    assert found.handed[0].place.content == RIGHT.encode()  # the one handed in anew
    assert "lovelaceada: softmax: softmax.py was judged, the newest" in notes(found)


def test_moodle_exports_folders_or_flat_files(handed):
    found = collected(
        handed(
            {
                "Ada Lovelace_123_assignsubmission_file_/softmax.py": RIGHT,
                "Alan Turing_124_assignsubmission_file_softmax.py": RIGHT,
            }
        )
    )
    assert [one.student for one in found.handed] == ["Ada Lovelace", "Alan Turing"]


def test_github_classroom_clones_repositories_that_begin_alike(handed):
    folder = handed({f"attention-1-{login}/softmax.py": RIGHT for login in ("ada-l", "alan")})
    for clone in folder.iterdir():
        (clone / ".git").mkdir()
    assert [one.student for one in collected(folder).handed] == ["ada-l", "alan"]


def test_flat_files_with_the_students_name_before_the_exercises(handed):
    found = collected(handed({"ada_softmax.py": RIGHT, "alan-self-attention.py": RIGHT}))
    assert [(one.student, one.exercise) for one in found.handed] == [("ada", "softmax"), ("alan", "self_attention")]


def test_a_whole_workspace_gives_the_exercises_and_no_drills_or_copies(handed):
    found = collected(
        handed(
            {
                "ada/basics/softmax.py": RIGHT,
                "ada/basics/softmax.backup-1.py": WRONG,
                "ada/drills/softmax.1.py": WRONG,
                "ada/.hidden/softmax.py": WRONG,
                "ada/progress.json": "{}",
            }
        )
    )
    assert len(found.handed) == 1
    assert found.handed[0].place.content == RIGHT.encode()
    assert found.notes == []


def test_modules_of_the_students_own_come_along_where_they_are_imported(handed):
    folder = handed(
        {
            "ada/softmax.py": "from shared import f\n" + RIGHT,
            "ada/shared.py": "import more\n",
            "ada/more.py": "",
            "ada/other.py": "",
        }
    )
    assert [name for name, _ in collected(folder).handed[0].helpers] == ["shared.py", "more.py"]


def test_the_roster_says_who_is_expected_and_who_is_called_what(handed, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text('Student,ID,SIS Login ID\n"Lovelace, Ada",12,alovelace\n"Turing, Alan",13,aturing\nKurt,14,kg\n')
    folder = handed({"Ada Lovelace.zip": {"softmax.py": RIGHT}, "ATuring/softmax.py": RIGHT, "eve/softmax.py": RIGHT})
    found = collected(folder, read_roster(roster))
    assert found.students == ["Lovelace, Ada", "Turing, Alan", "Kurt", "eve"]
    assert [one.student for one in found.handed] == ["Lovelace, Ada", "Turing, Alan", "eve"]
    assert notes(found) == "eve: is not in the roster\nKurt: has handed in nothing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "one of the columns student, name"),
        ("name\nAda\nAda\n", "two rows are called 'Ada'"),
        ("name\n,\n", "no row of it names a student"),
        ("", "empty"),
    ],
)
def test_a_roster_that_cannot_be_used_is_an_error(tmp_path, text, said):
    path = tmp_path / "roster.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_roster(path)


def test_what_is_odd_is_noted_and_stops_nothing(handed, tmp_path):
    secret = tmp_path / "secret" / "softmax.py"
    secret.parent.mkdir()
    secret.write_text(RIGHT)
    folder = handed(
        {
            "ada/softmax.py": RIGHT,
            "damaged.zip": b"PK\x03\x04 no",
            "nested.zip": {"inner.zip": b"PK"},
            "misnamed/soft_max.py": RIGHT,
            "nothing/readme.txt": "",
            "twice/softmax.py": WRONG,
            "twice.zip": {"softmax.py": RIGHT},
            "large/softmax.py": b"#" * (3 << 20),
        }
    )
    (folder / "links").mkdir()
    (folder / "links" / "softmax.py").symlink_to(secret)
    (folder / "linked").symlink_to(secret.parent)
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        link = zipfile.ZipInfo("softmax.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(secret))
    os.utime(folder / "twice" / "softmax.py", (0, 0))
    found = collected(folder)
    said = notes(found)
    assert [one.student for one in found.handed] == ["ada", "large", "twice"]
    assert found.handed[1].place.content == b"#" * ((1 << 20) + 1)  # no more is ever read
    assert found.handed[2].place.content == RIGHT.encode()
    for expected in (
        "damaged: damaged.zip is not a zip that can be read",
        "nested: inner.zip is a zip in a zip",
        "misnamed: holds no file named after an exercise, as softmax.py: soft_max.py; did you mean 'softmax'?",
        "nothing: holds no file named after an exercise",
        "twice: has handed in more than once: twice and twice.zip; the newer file counts",
        "links: softmax.py is a link, which is not followed",
        "linked: linked is a link, which is not followed",
        "zipped: softmax.py is a link, which is not followed",
    ):
        assert expected in said
    assert str(tmp_path) not in said


def test_names_that_would_control_a_terminal_are_written_out(handed):
    found = collected(handed({"e\x1b[31mve/readme.txt": ""}))
    assert "\x1b" not in found.notes[0].text


def test_submissions_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="expected a folder"):
        collected(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is empty"):
        collected(tmp_path)


def test_one_students_folder(handed):
    folder = handed({"softmax.py": RIGHT})
    assert shown(collected_of_one(folder)) == [("class", "softmax", "softmax.py")]
