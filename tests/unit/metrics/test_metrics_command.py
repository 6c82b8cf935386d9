"""`deathless metrics`."""

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from deathless.runtime.storage.world_files import CONTROL_FILE
from deathless.runtime.storage.world_lock import WorldLock
from deathless.tools.cli import main


def test_it_prints_what_a_saved_world_tells(saved, capsys):
    assert main(["metrics", saved]) == 0
    assert 'deathless_workflows{status="Suspended",type="listener"} 1.0\n' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a WORLD"),
        (["--dashboard", "--alerts"], "give a WORLD"),
        (["{world}", "--alerts"], "give a WORLD"),
        (["--dashboard", "--listen", "127.0.0.1:0"], "give one"),
        (["{world}", "--listen", "9464"], "HOST:PORT"),
        (["{world}", "--listen", "127.0.0.1:99999"], "HOST:PORT"),
        (["{world}", "--listen", "127.0.0.1:http"], "HOST:PORT"),
        (["{world}/nowhere"], "no world here"),
    ],
)
def test_bad_input_is_one_line(arguments, said, saved, capsys):
    assert main(["metrics", *(argument.format(world=saved) for argument in arguments)]) == 2
    written = capsys.readouterr()
    assert said in written.err
    assert written.err.count("\n") == 1
    assert written.out == ""


def test_a_port_that_is_taken_is_bad_input(saved, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["metrics", saved, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"]) == 2
    assert "cannot listen" in capsys.readouterr().err


class Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(b"deathless_steps_total 7.0\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    server = http.server.HTTPServer(("127.0.0.1", 0), Told)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def write_control(world, **fields):
    with open(os.path.join(world, CONTROL_FILE), "w") as file:
        json.dump({"token": "secret", "pid": os.getpid(), "host": socket.gethostname(), **fields}, file)


def test_a_running_world_tells_at_its_endpoint(saved, endpoint, capsys):
    lock = WorldLock(Path(saved))
    write_control(saved, url=endpoint)
    assert main(["metrics", saved]) == 0
    assert capsys.readouterr().out == "deathless_steps_total 7.0\n"
    lock.release()
    assert main(["metrics", saved]) == 0
    assert "deathless_running 0.0" in capsys.readouterr().out


@pytest.mark.parametrize("fields", [{"pid": 1}, {"url": "http://127.0.0.1:1"}, {"url": 5}])
def test_an_endpoint_that_is_gone_is_passed_over(saved, endpoint, capsys, fields):
    lock = WorldLock(Path(saved))
    write_control(saved, **{"url": endpoint, **fields})
    assert main(["metrics", saved]) == 0
    assert "deathless_running 1.0" in capsys.readouterr().out
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process there without a word")
def test_it_serves_a_saved_world_until_it_is_terminated(saved):
    command = [sys.executable, "-m", "deathless.tools", "metrics", saved, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        (url,) = re.findall(r"http://\S+", line)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=60) as answer:
            assert b"deathless_timers_pending 2.0" in answer.read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
