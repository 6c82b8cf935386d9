"""Each command of the page on backups does what it says, in the order of the page."""

import re
import shlex
import shutil
from pathlib import Path

from garden import __file__ as GAME

from deathless.tools.cli import main
from deathless.tools.doctor.finding import Finding

PAGE = Path(__file__).parents[3] / "docs/how-to/backup-and-check.md"
TOOLS = Path(__file__).parents[3] / "tools"


def commands():
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for shown in re.findall(r"^\$ (.*?\n(?:(?!\$).*\n)*)", block, re.M):
            line, _, output = shown.partition("\n")
            yield line, output


def test_the_commands_of_the_page_do_what_it_says(garden, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    garden.rename("world.deathless")
    seen = set()
    for line, output in commands():
        words = shlex.split(line.partition(" | ")[0].replace("$(date +%F)", "tuesday"))
        if words[1] == "restore" and "--replace" not in words:
            shutil.move("world.deathless", "lost.deathless")
        code = main([GAME if word == "game.npcs" else word for word in words[1:]])
        found = capsys.readouterr()
        assert (code, found.err) == (0, ""), line
        assert found.out == output or not output, line
        seen.add(words[1])
    assert seen == {"backup", "restore", "export", "import", "replay", "doctor", "stats"}


def test_the_page_names_every_check():
    source = "".join(path.read_text(encoding="utf-8") for path in (TOOLS / "doctor").glob("*.py"))
    named = set(re.findall(r'(?:Finding|_bad)\(\s*"([a-z]+)"', source)) | {
        "code",
        "leftover",
        "history",
        "index",
    }
    section = PAGE.read_text(encoding="utf-8").partition("## See that it is sound")[2].partition("\n## ")[0]
    table = set(re.findall(r"^\| `([a-z]+)` \|", section, re.M))
    assert named <= table
    assert all(f"`{name}`" in (Finding.__doc__ or "") for name in table)
