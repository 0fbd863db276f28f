"""The range in which the figures of a real cluster lie. A figure outside it is sized, with a notice."""

__all__ = [
    "LARGEST_KNOWN_BYTES",
    "MOST_KNOWN_CLIENTS",
    "MOST_KNOWN_NODES",
    "MOST_KNOWN_REQUESTS",
    "MOST_PODS_A_NODE",
    "SMALLEST_PLAUSIBLE_BYTES",
]

SMALLEST_PLAUSIBLE_BYTES = 16_384
"""An empty etcd file is larger, so less means that a column of bytes holds megabytes (our choice). [bytes]"""

LARGEST_KNOWN_BYTES = 100 * 1000**3
"""The most data for which anyone has published that etcd holds it. [bytes] CNCF, "Performance optimization of etcd in
web scale data scenario", 2019-05-09."""

MOST_KNOWN_REQUESTS = 185_758
"""The highest rate in etcd's own benchmarks: serializable reads of 1,000 clients from three members. [1/s]
etcd-io/website content/en/docs/v3.5/op-guide/performance.md"""

MOST_KNOWN_CLIENTS = 100_000
"""etcd aims to support O(10k) clients, which we read as tens of thousands. [count] etcd-io/website
content/en/docs/v3.5/benchmarks/etcd-3-watch-memory-benchmark.md"""

MOST_KNOWN_NODES = 100_000
"""The largest Kubernetes clusters that a provider offers. [count] AWS, "Under the hood: Amazon EKS ultra scale
clusters", 2025-07-16."""

MOST_PODS_A_NODE = 1_000
"""About ten times as many as the 110 that a kubelet runs by default (our choice). [count]"""
