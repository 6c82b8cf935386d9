"""Durations on the command line."""

import click
import pytest
from click.testing import CliRunner

from deathless.tools.durations import DURATION, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7d", 604_800.0),
        ("1h", 3_600.0),
        ("30m", 1_800.0),
        ("10s", 10.0),
        ("500ms", 0.5),
        ("0.5s", 0.5),
        ("1h30m", 5_400.0),
        ("1d 2h 3m 4s 5ms", 93_784.005),
        (" 2m ", 120.0),
        ("0", 0.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_read_in_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "7", "d", "-1d", "7 days", "1e3s", "inf", "nan", "30m1h", "1s1s", "1.s", "٧d", "7D"]
)
def test_what_is_no_duration_is_refused_with_the_remedy(text):
    with pytest.raises(ValueError, match="is not a duration; write a number with d, h, m, s or ms"):
        parse_duration(text)


def test_an_option_takes_a_duration_and_its_default_is_in_seconds():
    @click.command()
    @click.option("--older-than", type=DURATION, default=60)
    def command(older_than):
        click.echo(older_than)

    run = CliRunner().invoke
    assert run(command, []).output == "60.0\n"
    assert run(command, ["--older-than", "1h"]).output == "3600.0\n"
    refused = run(command, ["--older-than", "soon"])
    assert refused.exit_code == 2
    assert "'soon' is not a duration" in refused.output
