"""Following a log: what happens between two looks is scripted, so that nothing waits."""

import json

from deathless.tools.logs import follow_log, log_path


def followed(directory, *happenings):
    """Let each happen before a look of its own; return what the looks found."""
    script = iter(happenings)

    def wait():
        happening = next(script, None)
        if happening is None:
            return False
        happening()
        return True

    return [line.fields["n"] if line.fields else line.text for line in follow_log(directory, wait=wait)]


class Log:
    """A log that a test writes."""

    def __init__(self, directory):
        self.path = log_path(directory)
        self.path.parent.mkdir(parents=True)

    def write(self, *numbers):
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.writelines(json.dumps({"event": "counted", "n": n}) + "\n" for n in numbers)

    def rotate(self, kept=5):
        for number in range(kept - 1, 0, -1):
            aside = self.path.with_name(f"{self.path.name}.{number}")
            if aside.exists():
                aside.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))


def test_only_what_is_written_from_now_on_is_shown(tmp_path):
    log = Log(tmp_path)
    log.write(1, 2)
    assert followed(tmp_path, lambda: None, lambda: log.write(3, 4), lambda: None, lambda: log.write(5)) == [
        3,
        4,
        5,
    ]


def test_a_log_that_is_not_there_yet_is_shown_from_its_beginning(tmp_path):
    def begin():
        Log(tmp_path).write(1, 2)

    assert followed(tmp_path, lambda: None, begin, lambda: None) == [1, 2]


def test_no_line_is_lost_or_doubled_when_the_file_is_put_aside(tmp_path):
    log = Log(tmp_path)
    log.write(1)

    def put_aside():
        log.write(3)
        log.rotate()
        log.write(4)

    def twice():
        log.write(5)
        log.rotate()
        log.write(6)
        log.rotate()
        log.write(7)

    found = followed(
        tmp_path,
        lambda: log.write(2),
        put_aside,
        log.rotate,
        lambda: log.write(45),
        twice,
        lambda: log.write(8),
    )
    assert found == [2, 3, 4, 45, 5, 6, 7, 8]


def test_a_file_that_is_cut_short_is_shown_from_its_beginning(tmp_path):
    log = Log(tmp_path)
    log.write(100, 200)

    def cut_short():
        log.path.write_bytes(b"")
        log.write(1)

    assert followed(tmp_path, lambda: log.write(300), cut_short, lambda: log.write(2)) == [300, 1, 2]


def test_a_file_that_is_deleted_and_made_anew_is_shown_from_its_beginning(tmp_path):
    log = Log(tmp_path)
    log.write(1, 2, 3)
    assert followed(tmp_path, log.path.unlink, lambda: log.write(4), lambda: log.write(5)) == [4, 5]


def test_a_line_is_shown_once_it_is_whole(tmp_path):
    log = Log(tmp_path)

    def write(part):
        with log.path.open("ab") as file:
            file.write(part)

    whole = '{"n": "ü"}\nnot json\n'.encode()
    assert followed(tmp_path, *(lambda at=at: write(whole[at : at + 1]) for at in range(len(whole)))) == [
        "ü",
        "not json",
    ]
