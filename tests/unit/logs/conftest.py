import pytest

from deathless.tools.logs import configure_log


@pytest.fixture
def configured(tmp_path):
    """Set the log up for a world as a test wants it, and take that back afterwards."""
    ends = []

    def configure(directory=tmp_path, **options):
        end = configure_log(directory, **{"format": None, **options})
        ends.append(end)
        return end

    yield configure
    for end in reversed(ends):
        end()
