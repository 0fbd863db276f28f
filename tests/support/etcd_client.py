"""Send requests to etcd at a fixed rate, over one connection to the JSON gateway, until a signal ends the process.

    python etcd_client.py http://127.0.0.1:2379 RATE [VALUE_BYTES]

Puts, ranges and transactions alternate. The client prints `begun` after its first request, and on SIGUSR1 the number of
requests so far. SIGTERM ends it.
"""

import base64
import http.client
import json
import os
import signal
import sys
import time
from urllib.parse import urlsplit


def main(url: str, rate: float, size: int = 20) -> None:
    # An exception could be swallowed by a destructor, and the client would run for ever.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # A signal may arrive during a write, and print() is not reentrant.
    signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"%d\n" % done))
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    key = base64.b64encode(f"client-{os.getpid()}".encode()).decode()
    value = base64.b64encode(os.urandom(size)).decode()
    put = {"key": key, "value": value}
    compare = {"key": key, "result": "EQUAL", "target": "VERSION", "version": "0"}
    calls = [
        ("/v3/kv/put", put),
        ("/v3/kv/range", {"key": key}),
        ("/v3/kv/txn", {"compare": [compare], "success": [{"requestPut": put}], "failure": []}),
    ]
    texts = [(path, json.dumps(body)) for path, body in calls]
    done = 0
    start = time.monotonic()
    while True:
        path, body = texts[done % 3]
        connection.request("POST", path, body)
        # With a slow disk etcd may give up on a request, but it has counted it.
        connection.getresponse().read()
        done += 1
        if done == 1:
            os.write(1, b"begun\n")
        time.sleep(max(0, start + done / rate - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *map(int, sys.argv[3:]))
