"""Clusters that answer as etcd 3.5.1 did, on 127.0.0.1: every member on a port of its own, all in one process.

    python simulated.py CLUSTERS [INTERVAL]

In cluster n, clients make 10 + n requests a second to each of the three members. The first line of the output is the
targets file; on SIGTERM the script prints the largest number of open connections. Of every hundred clusters, one has a
member that is down, one has a member that hangs, and one does not answer at all.
"""

import asyncio
import json
import re
import signal
import socket
import sys
import time
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "examples" / "observed" / "infra0-before.txt").read_text()
PUT = 'grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"} '
OLD_IDS = re.findall(r'etcd_server_id\{server_id="(\w+)"\}', TEXT) + sorted(
    set(re.findall(r'etcd_network_active_peers\{[^}]*Remote="(\w+)"', TEXT))
)
START = time.monotonic()


class Counts:
    """The number of open connections, now and at most."""

    now = most = 0


def text_of(cluster: int, member: int) -> str:
    """Return the metrics of a member, with PUTS in place of the number of puts."""
    text = TEXT
    ids = [f"{(cluster + 1) * 16 + (member + place) % 3:x}" for place in range(3)]
    for old, new in zip(OLD_IDS, ids, strict=True):
        text = text.replace(f'"{old}"', f'"{new}"')
    text = text.replace("etcd_server_is_leader 1", f"etcd_server_is_leader {int(member == 0)}")
    return re.sub(re.escape(PUT) + r"\S+", PUT + "PUTS", text)


async def serve(cluster: int, member: int, *, hangs: bool) -> tuple[asyncio.Server, int]:
    text = text_of(cluster, member)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        Counts.now += 1
        Counts.most = max(Counts.most, Counts.now)
        try:
            await reader.readuntil(b"\r\n\r\n")
            if hangs:
                await asyncio.sleep(60)
            puts = int((10 + cluster) * (time.monotonic() - START))
            body = text.replace("PUTS", str(puts)).encode()
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the script is ending
        finally:
            Counts.now -= 1
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def main(clusters: int) -> None:
    # The socket is bound, so that no other process gets the port, but it does not listen.
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    closed = taken.getsockname()[1]
    groups = []
    servers = []
    for cluster in range(clusters):
        ports = []
        for member in range(3):
            dead = (cluster % 100 == 7 and member == 2) or (cluster % 100 == 9)
            if dead:
                ports.append(closed)
                continue
            server, port = await serve(cluster, member, hangs=cluster % 100 == 8 and member == 1)
            servers.append(server)
            ports.append(port)
        labels = {"cluster": f"c{cluster:04}", "provider": ("aws", "gce")[cluster % 2]}
        groups.append({"targets": [f"127.0.0.1:{port}" for port in ports], "labels": labels})
    print(json.dumps(groups), flush=True)  # noqa: T201 - the output of the script
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    await done.wait()
    taken.close()
    print(Counts.most, flush=True)  # noqa: T201 - the output of the script


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
