"""Loads on the command line, each with the arguments of `size` and of `settings_for` that say the same."""

LOADS = [
    (
        ["--clients", "300", "--rps", "800", "--data", "4GB"],
        {"clients": 300, "requests_per_second": 800, "data_bytes": 4 * 10**9},
        {},
    ),
    (["--data", "4GB", "--etcd-version", "3.6.14"], {"data_bytes": 4 * 10**9}, {"etcd_version": "3.6.14"}),
    (["--data", "4GB", "--kubernetes"], {"data_bytes": 4 * 10**9}, {"kubernetes": True}),
    (["--clients", "9", "--peer-rtt-ms", "150"], {"clients": 9}, {"peer_rtt_ms": 150}),
    (["--kubernetes-nodes", "250"], {"kubernetes_nodes": 250}, {}),
]
