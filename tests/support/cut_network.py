"""Cut off the third member of a cluster during an observation, in network namespaces, and print the observation.

    unshare --net --map-root-user python cut_network.py ETCD FOLDER

The three members talk over a bridge of veth pairs that is not visible outside. Taking one end of a pair down drops
every packet silently, as a failing switch does.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from etcds import is_healthy

from etcdsize import observe

ADDRESSES = [f"10.99.0.{number}" for number in (1, 2, 3)]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def namespace(process: int | str) -> str:
    return str(Path(f"/proc/{process}/ns/net").readlink())


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def main(etcd: str, folder: Path) -> None:
    spaces = [subprocess.Popen(["unshare", "--net", "sleep", "600"]) for _ in ADDRESSES]
    members = []
    try:
        ip("link", "set", "lo", "up")
        ip("link", "add", "bridge", "type", "bridge")
        ip("address", "add", "10.99.0.254/24", "dev", "bridge")
        ip("link", "set", "bridge", "up")
        wait_until(lambda: all(namespace(space.pid) != namespace("self") for space in spaces))
        for number, (space, address) in enumerate(zip(spaces, ADDRESSES, strict=True)):
            ip("link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", str(space.pid))
            ip("link", "set", f"v{number}", "master", "bridge", "up")
            inside = ["nsenter", f"--net=/proc/{space.pid}/ns/net"]
            for words in (
                ["link", "set", "lo", "up"],
                ["address", "add", f"{address}/24", "dev", "eth0"],
                ["link", "set", "eth0", "up"],
            ):
                subprocess.run([*inside, "ip", *words], check=True)
            everyone = ",".join(f"m{place}=http://{one}:2380" for place, one in enumerate(ADDRESSES))
            own = folder / f"m{number}"
            own.mkdir()
            with (own / "log").open("w") as log:
                command = [
                    *inside, etcd, f"--name=m{number}", f"--data-dir={own / 'data'}", "--logger=zap",
                    "--log-outputs=stderr", f"--listen-client-urls=http://{address}:2379",
                    f"--advertise-client-urls=http://{address}:2379", f"--listen-peer-urls=http://{address}:2380",
                    f"--initial-advertise-peer-urls=http://{address}:2380", f"--initial-cluster={everyone}",
                ]  # fmt: skip
                members.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=own))
        urls = [f"http://{address}:2379" for address in ADDRESSES]
        wait_until(lambda: all(map(is_healthy, urls)))
        threading.Timer(0.5, ip, ("link", "set", "v2", "down")).start()
        start = time.monotonic()
        observation = observe(urls, interval=1, timeout=1.5)
        took = time.monotonic() - start
        result = {"took": took, "observation": observation.model_dump(mode="json")}
        print(json.dumps(result))  # noqa: T201 - the output of the script
    finally:
        for process in (*members, *spaces):
            process.kill()
            process.wait()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
