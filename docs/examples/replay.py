"""Serve the recorded metrics of a cluster on 127.0.0.1 while a command runs, for the examples of `etcdsize observe`.

    python3 replay.py FOLDER COMMAND...

Every member in FOLDER is served on a port of its own, from 23791 up. The answer to its first request is its first
scrape, and the answer to every later request is its second. Both are moved in time, as if the first were recorded now.
The script needs only Python.
"""

import http.server
import re
import subprocess
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path

PORT = 23791
# 46 seconds after the members started, by their own clocks.
TIMES = {"before": 1795581551, "after": 1795581561}
SINCE = int(time.time()) - TIMES["before"]
START = re.compile(rb"(?m)^process_start_time_seconds (.*)$")


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True


def serve(folder: Path, member: str, port: int) -> Server:
    """Serve one member in a thread. If the port is in use, for example by another replay, wait for it."""
    waiting = ["before"]

    class Member(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            when = waiting.pop() if waiting else "after"
            text = (folder / f"{member}-{when}.txt").read_bytes()
            text = START.sub(lambda start: b"process_start_time_seconds %f" % (float(start[1]) + SINCE), text)
            self.send_response_only(200)
            self.send_header("Date", formatdate(TIMES[when] + SINCE, usegmt=True))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_words: object, **_named: object) -> None:
            pass

    deadline = time.monotonic() + 60
    while True:
        try:
            server = Server(("127.0.0.1", port), Member)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(folder: Path, command: list[str]) -> int:
    members = sorted(path.name.removesuffix("-before.txt") for path in folder.glob("*-before.txt"))
    for number, member in enumerate(members):
        serve(folder, member, PORT + number)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
