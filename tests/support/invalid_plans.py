"""Plans that are rejected: the message of each, and the flags with which the real etcd rejects the same mistake.

`etcd` replaces flags of a single valid member `one`, and None leaves a flag out. PEER and CLIENT stand for its ports,
and OTHER for a third one. `ETCD_SAYS` is why etcd rejects it. If etcd does not reject the mistake when it starts,
`etcd_does` says what it does instead, or why it never sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from etcdsize import ClusterPlan, Member, Tls, TlsFiles, load_versions, settings_for, size

P, C = "http://127.0.0.1:2380", "http://127.0.0.1:2379"


@dataclass(frozen=True)
class Invalid:
    """A plan that is rejected, the message, and what etcd does with it."""

    code: str
    plan: Callable[[], object]
    message: str
    etcd: Mapping[str, str | None] = field(default_factory=dict)
    versions: tuple[str, ...] = ("3.4", "3.5.1", "3.5", "3.6", "3.7")
    etcd_does: str = ""


def one(name="one", peer=P, client=C, **more):
    return Member(name=name, peer_urls=peer, client_urls=client, **more)


def plan(*members, **more):
    return ClusterPlan(members=members or (one(),), **more)


def settings(version="3.5", **flags):
    return lambda: plan(etcd_version=version, settings={name.replace("_", "-"): flags[name] for name in flags})


FILES = TlsFiles(cert_file="/a.crt", key_file="/a.key", trusted_ca_file="/ca.crt")
PEER, CLIENT = "http://127.0.0.1:PEER", "http://127.0.0.1:CLIENT"
CLUSTER = f"one={PEER}"
SETTINGS = "settings: --heartbeat-interval, --election-timeout: got "
BARE = "expected the scheme http or https, a host and a port, such as http://10.0.0.1:2380"
TEXT = "expected printable text without spaces at either end"


def peer(code, url, message, etcd=None, etcd_does=""):
    """Return a plan with an invalid peer URL; etcd gets it as the advertised URL and in the initial cluster."""
    asked = {} if etcd is None else {"initial-advertise-peer-urls": etcd, "initial-cluster": f"one={etcd}"}
    return Invalid(code, lambda: one(peer=url), f'member "one": peer_urls: {message}', asked, etcd_does=etcd_does)


INVALID = (
    # Arguments of the wrong type.
    Invalid("tls-of-another-type", lambda: ClusterPlan.local(1, tls=True), "tls: got True of type bool, expected a Tls",
            etcd_does="Only a plan has it."),
    # Members and their names.
    Invalid("no-members", lambda: ClusterPlan(members=()), "members: got none, expected at least one",
            {"initial-cluster": ","}),
    Invalid("empty-name", lambda: one(""), f'name: got "", {TEXT}', {"name": ""}),
    Invalid("comma-in-name", lambda: one("a,b"),
            'name: got "a,b", expected a name without ",": --initial-cluster is split there',
            {"name": "a,b", "initial-cluster": f"a,b={PEER}"}),
    Invalid("equals-in-name", lambda: one("a=b"),
            'name: got "a=b", expected a name without "=": --initial-cluster is split there',
            {"name": "a=b", "initial-cluster": f"a=b={PEER}"}),
    Invalid("space-before-name", lambda: one(" one"), f'name: got " one", {TEXT}',
            {"initial-cluster": f" one={PEER}"}),
    Invalid("newline-in-name", lambda: one("a\nb"), f'name: got "a\\nb", {TEXT}',
            etcd_does="it would begin a new line of a file"),
    Invalid("slash-in-name", lambda: one("a/b"),
            'name: got "a/b", expected a name without "/": the member\'s data is in a folder of that name',
            etcd_does="it puts the data in a folder that nobody expects"),
    Invalid("long-name", lambda: one("é" * 126),
            f'name: got "{"é" * 57}...", expected at most 250 bytes: the data is in a folder NAME.etcd, and a '
            "folder's name has at most 255",
            {"data-dir": "é" * 126 + ".etcd"}),
    Invalid("same-name", lambda: plan(one(), one(peer="http://127.0.0.1:2", client="http://127.0.0.1:1")),
            'members: got the name "one" 2 times, expected unique names: etcd treats members of one name as one member',
            {"initial-cluster": f"one={PEER},one=http://127.0.0.1:OTHER"}),
    # URLs.
    peer("no-scheme", "10.0.0.1:2380", f'got "10.0.0.1:2380", {BARE}; write http://10.0.0.1:2380', "127.0.0.1:PEER"),
    peer("empty-url", "", f'got "", {BARE}', ""),
    peer("no-port", "http://10.0.0.1", 'got "http://10.0.0.1", expected a port as well; write http://10.0.0.1:2379 for '
         "clients, http://10.0.0.1:2380 for members", "http://127.0.0.1"),
    peer("slash-at-end", "http://a:1/", 'got "http://a:1/", expected no more than scheme, host and port, so not '
            'a slash '
         "at the end; write http://a:1", f"{PEER}/"),
    peer("path", "http://a:1/b", 'got "http://a:1/b", expected no more than scheme, host and port, so not a '
            'path; write '
         "http://a:1", f"{PEER}/v3"),
    peer("query", "http://a:1?b", 'got "http://a:1?b", expected no more than scheme, host and port, so not a query; '
         "write http://a:1", etcd_does="it ignores it, but compares it as text"),
    peer("fragment", "http://a:1#b", 'got "http://a:1#b", expected no more than scheme, host and port, so not a '
         "fragment; write http://a:1", etcd_does="it ignores it"),
    peer("user", "http://u:p@a:1", "got a user or a password (text with @, not shown), expected none: what is in a URL "
         "is printed", etcd_does="it prints the password in its logs"),
    peer("other-scheme", "ftp://a:1", 'got "ftp://a:1", expected http:// or https://', "ftp://127.0.0.1:PEER"),
    peer("unix", "unix://a:1", 'got "unix://a:1", expected http:// or https://',
         etcd_does="no other machine reaches it"),
    peer("upper-case", "HTTP://a:1", 'got "HTTP://a:1", expected http:// or https://; write http://a:1',
         etcd_does="it converts it to lower case and starts"),
    peer("space-inside", "http://a b:1", 'got "http://a b:1", expected without any space; write http://ab:1',
         "http://127.0.0.1 :PEER"),
    peer("comma-and-space", "http://a:1, http://b:1", 'got "http://a:1, http://b:1", expected without any space; write '
         "http://a:1,http://b:1", f"{PEER}, infra1=http://127.0.0.1:OTHER"),
    peer("comma", "http://a:1,http://b:1", 'got "http://a:1,http://b:1", expected one URL; give several as a list',
         etcd_does="it reads two URLs here, and one in the initial cluster"),
    peer("port-0", "http://a:0", 'got "http://a:0", expected a port from 1 to 65535', etcd_does="it listens on "
            "any free port"),
    peer("port-text", "http://a:x", 'got "http://a:x", expected a port from 1 to 65535', "http://127.0.0.1:peer"),
    peer("port-empty", "http://a:", 'got "http://a:", expected a port from 1 to 65535', etcd_does="it listens on "
            "port 80"),
    peer("empty-host", "http://:1", f'got "http://:1", {BARE}', "http://:PEER"),
    peer("ipv4-256", "http://10.0.0.256:1", 'got "http://10.0.0.256:1", expected an IPv4 address of four '
            'numbers from 0 '
         "to 255, without leading zeros", etcd_does="it reads it as a host name, and waits to resolve it"),
    peer("bare-ipv6", "http://::1:1", f'got "http://::1:1", {BARE}; write http://[::1]:1', "http://::1:PEER"),
    peer("ipv6-zone", "http://[fe80::1%eth0]:1", 'got "http://[fe80::1%eth0]:1", expected an IPv6 address in brackets, '
         "without a zone", "http://[fe80::1%eth0]:PEER"),
    peer("not-ipv6", "http://[a]:1", 'got "http://[a]:1", expected an IPv6 address in brackets, without a zone',
         etcd_does="it reads it as a host name, and waits to resolve it"),
    peer("host-label", "http://-a:1", 'got "http://-a:1", expected an IP address or a host name of letters, digits, '
         "hyphens and dots", etcd_does="it reads it as a host name, and waits to resolve it"),
    peer("wildcard", "http://0.0.0.0:1", 'got "http://0.0.0.0:1", expected an address that others can reach; listen on '
         "it with listen_peer_urls", etcd_does="no other machine reaches it"),
    Invalid("no-urls", lambda: one(client=()), 'member "one": client_urls: got none, expected at least one URL such as '
            "http://10.0.0.1:2380", {"advertise-client-urls": None}),
    Invalid("url-twice", lambda: one(peer=(P, P)), f'member "one": peer_urls: got "{P}" more than once; list it once',
            {"initial-advertise-peer-urls": f"{PEER},{PEER}", "initial-cluster": f"one={PEER},one={PEER}"}),
    Invalid("peer-url-shared", lambda: plan(one(), one("two", client="http://127.0.0.1:1")),
            f'member "two": peer_urls: got "{P}", which "one" already uses; give each member its own URL',
            {"initial-cluster": f"{CLUSTER},two={PEER}"}),
    Invalid("client-url-shared", lambda: plan(one(), one("two", peer="http://127.0.0.1:1")),
            f'member "two": client_urls: got "{C}", which "one" already uses; give each member its own URL',
            etcd_does="it never sees the other member's"),
    # Listen URLs.
    Invalid("host-in-listen-peer", lambda: one(listen_peer_urls="http://node1:2380"),
            'member "one": listen_peer_urls: got "http://node1:2380", expected an IP address or localhost: etcd '
            "cannot listen on other host names; write http://0.0.0.0:2380 to listen on every address of the machine",
            {"listen-peer-urls": "http://node1:PEER"}),
    Invalid("host-in-listen-client", lambda: one(listen_client_urls="http://node1:2379"),
            'member "one": listen_client_urls: got "http://node1:2379", expected an IP address or localhost: etcd '
            "cannot listen on other host names; write http://0.0.0.0:2379 to listen on every address of the machine",
            {"listen-client-urls": "http://node1:CLIENT"}),
    Invalid("port-65536", lambda: one(listen_client_urls="http://127.0.0.1:65536"),
            'member "one": listen_client_urls: got "http://127.0.0.1:65536", expected a port from 1 to 65535',
            {"listen-client-urls": "http://127.0.0.1:65536"}),
    Invalid("same-port", lambda: one(client=P), f'member "one": listen_client_urls: got "{P}", and it listens '
            f'on "{P}" too: both use port 2380; give each URL its own port', {"listen-client-urls": PEER}),
    Invalid("wildcard-over-port", lambda: one(listen_client_urls="http://0.0.0.0:2380"),
            f'member "one": listen_client_urls: got "http://0.0.0.0:2380", and it listens on "{P}" too: '
            'both use port 2380; give each URL its own port',
            {"listen-client-urls": "http://0.0.0.0:PEER"}),
    Invalid("members-on-one-port",
            lambda: plan(one(), one("two", "http://127.0.0.1:1", "http://127.0.0.1:2", listen_peer_urls=P)),
            f'member "two": listen_peer_urls: got "{P}", but "one" on the same host listens on "{P}"; '
            "give each member its own port", etcd_does="only the first starts"),
    # TLS.
    Invalid("https-peer-without-files", lambda: plan(one(peer="https://127.0.0.1:2380")),
            'member "one": peer_urls: got "https://127.0.0.1:2380", expected http://: there are no peer '
            "certificates; add them with tls=, or use http for every member",
            {flag: (f"one={url}" if flag == "initial-cluster" else url)
             for url in ["https://127.0.0.1:PEER"]
             for flag in ("initial-advertise-peer-urls", "listen-peer-urls", "initial-cluster")}),
    Invalid("https-client-without-files", lambda: plan(one(client="https://127.0.0.1:2379")),
            'member "one": client_urls: got "https://127.0.0.1:2379", expected http://: there are no client '
            "certificates; add them with tls=, or use http for every member",
            {"advertise-client-urls": "https://127.0.0.1:CLIENT", "listen-client-urls": "https://127.0.0.1:CLIENT"}),
    Invalid("mixed-schemes", lambda: plan(one(client=(C, "https://127.0.0.1:2381"))),
            'member "one": client_urls: got "https://127.0.0.1:2381", expected http://: there are no client '
            "certificates; add them with tls=, or use http for every member",
            {"listen-client-urls": f"{CLIENT},https://127.0.0.1:OTHER"}),
    Invalid("http-with-files", lambda: plan(tls=Tls(client=FILES)),
            f'member "one": client_urls: got "{C}", expected https://: tls has client certificates, so '
            'every client URL must be https', etcd_does="it warns, ignores the files and accepts every client"),
    Invalid("key-file-missing", lambda: TlsFiles(cert_file="/a.crt"), "key_file: missing; the field is required",
            {"advertise-client-urls": "https://127.0.0.1:CLIENT", "listen-client-urls": "https://127.0.0.1:CLIENT",
             "cert-file": "/a.crt"}),
    Invalid("auth-without-authority", lambda: TlsFiles(cert_file="/a", key_file="/b"),
            "trusted_ca_file: missing, but client_cert_auth is on; name the authority that signs client certificates, "
            "or set client_cert_auth=False", etcd_does="it trusts every authority of the system"),
    Invalid("no-side", lambda: Tls(), "Tls: got neither client nor peer, expected one or both; leave tls out for plain "
            "http", etcd_does="nothing: only a plan has it"),
    Invalid("half-a-pair", lambda: Tls(client=FILES, client_key_file="/k"),
            "client_cert_file, client_key_file: got one of the two, expected both or neither",
            etcd_does="nothing: only etcdctl uses it"),
    Invalid("client-pair-alone", lambda: Tls(peer=FILES, client_cert_file="/c", client_key_file="/k"),
            "client_cert_file: cannot be used without client; set client too",
            etcd_does="nothing: only etcdctl uses it"),
    # Settings.
    Invalid("election-too-short", settings(heartbeat_interval=300),
            f"{SETTINGS}an election timeout of 1000 ms with a heartbeat of 300 ms, expected at least "
            "1500 ms, which is five heartbeats; ten are recommended", {"heartbeat-interval": "300"}),
    Invalid("election-too-long", settings(election_timeout=50_001),
            f"{SETTINGS}an election timeout of 50001 ms, expected at most 50000", {"election-timeout": "50001"}),
    Invalid("no-heartbeat", settings(heartbeat_interval=0), f"{SETTINGS}0, expected 1 ms or more for both",
            {"heartbeat-interval": "0"}),
    Invalid("no-election", settings(election_timeout=0), f"{SETTINGS}0, expected 1 ms or more for both",
            {"election-timeout": "0"}),
    Invalid("quota-with-unit", settings(quota_backend_bytes="8G"),
            'settings: --quota-backend-bytes: got "8G", expected an integer of bytes, 0 or more',
            {"quota-backend-bytes": "8G"}),
    Invalid("quota-beyond-addresses", settings(quota_backend_bytes=2**45 + 1),
            "settings: --quota-backend-bytes: got 35184372088833, expected at most 35184372088832: etcd maps the whole "
            "quota into its address space of 47 bits; split the data among several clusters",
            {"quota-backend-bytes": str(2**47)}),
    Invalid("negative", settings(max_snapshots=-1), "settings: --max-snapshots: got -1, expected an integer of "
            "0 or more",
            {"max-snapshots": "-1"}),
    Invalid("too-large", settings(quota_backend_bytes=2**63),
            "settings: --quota-backend-bytes: got 9223372036854775808, expected an integer of bytes, 0 or more",
            {"quota-backend-bytes": str(2**63)}),
    Invalid("not-a-boolean", settings(pre_vote="yes"), 'settings: --pre-vote: got "yes", expected true or false',
            {"pre-vote": "yes"}),
    Invalid("duration-without-unit", settings(grpc_keepalive_min_time="5"),
            'settings: --grpc-keepalive-min-time: got "5", expected a duration such as 10m or 500ms',
            {"grpc-keepalive-min-time": "5"}),
    Invalid("number-for-text", settings(auto_compaction_retention=1),
            "settings: --auto-compaction-retention: got 1, expected text",
            etcd_does="it accepts the flag, but rejects the number in a config file"),
    Invalid("retention-text", settings(auto_compaction_retention="soon"),
            'settings: --auto-compaction-retention: got "soon", expected a duration such as 1h',
            {"auto-compaction-retention": "soon"}),
    Invalid("retention-negative", settings(auto_compaction_retention="-1"),
            'settings: --auto-compaction-retention: got "-1", expected a duration such as 1h',
            {"auto-compaction-retention": "-1"}),
    Invalid("retention-too-long", settings(auto_compaction_retention="9" * 20),
            'settings: --auto-compaction-retention: got "99999999999999999999", expected a duration such as 1h',
            {"auto-compaction-retention": "9" * 20}),
    Invalid("retention-overflow", settings(auto_compaction_retention="2562048"),
            'settings: --auto-compaction-retention: got "2562048", expected a duration such as 1h',
            etcd_does="the hours overflow its count of nanoseconds"),
    Invalid("retention-of-revisions", settings(auto_compaction_mode="revision", auto_compaction_retention="1h"),
            'settings: --auto-compaction-retention: got "1h", expected a number of revisions',
            etcd_does="it keeps 3,600,000,000,000 revisions, an hour in nanoseconds"),
    Invalid("compaction-mode", settings(auto_compaction_mode="period"),
            'settings: --auto-compaction-mode: got "period", expected periodic or revision; did you mean "periodic"?',
            {"auto-compaction-mode": "period"}),
    Invalid("log-level", settings(log_level="loud"), 'settings: --log-level: got "loud", expected debug, info, '
            "warn, error, panic or fatal", {"log-level": "loud"}),
    Invalid("logger", settings(logger="syslog"), 'settings: --logger: got "syslog", expected zap', {"logger":
            "syslog"}),
    Invalid("unknown-flag", settings(quota_bytes=1), 'settings: etcd 3.5: got the flag "quota-bytes", expected '
            f'one of the {len(load_versions().flags)} that the table has; did you mean "quota-backend-bytes"?',
            {"quota-bytes": "1"}),
    Invalid("removed-flag", settings(debug=True), 'settings: etcd 3.5 has no flag "debug"; those that have it: 3.4; '
            "instead: --log-level", {"debug": "true"}, versions=("3.5.1", "3.5", "3.6", "3.7")),
    Invalid("later-flag", settings(feature_gates="AllBeta=true"),
            'settings: etcd 3.5 has no flag "feature-gates"; those that have it: 3.6, 3.7',
            {"feature-gates": "AllBeta=true"}, versions=("3.4", "3.5.1", "3.5")),
    Invalid("later-patch", settings("3.5.1", max_concurrent_streams=9),
            'settings: etcd 3.5.1 has no flag "max-concurrent-streams"; those that have it: 3.4 from 3.4.20, 3.5 from '
            "3.5.5, 3.6, 3.7", {"max-concurrent-streams": "9"}, versions=("3.5.1",)),
    Invalid("flag-of-the-plan", settings(name="two"),
            'settings: got "name", expected flags that the plan does not set itself; set it with Member(name=), or '
            '--host NAME=HOST on the command line',
            etcd_does="it uses the last of the two"),
    Invalid("discovery", settings(discovery="http://127.0.0.1:1/x"),
            'settings: got "discovery", expected flags that the plan does not set itself; the plan lists its members, '
            "and etcd rejects both together", {"discovery": "http://127.0.0.1:1/x"}),
    Invalid("config-file", settings(config_file="/etc/etcd.yaml"),
            'settings: got "config-file", expected flags that the plan does not set itself; etcd would '
            'ignore every other flag; render(plan, "config") writes a config file',
            etcd_does="it ignores all other flags"),
    Invalid("settings-of-another-version",
            lambda: plan(settings=settings_for(size(data_bytes="4GB"), etcd_version="3.6"), etcd_version="3.5"),
            "settings: got settings for etcd 3.6, but etcd_version is 3.5; make them for that version",
            etcd_does="nothing: only a plan has it"),
    # State, token, data folder and zones.
    Invalid("state", lambda: plan(state="old"), "ClusterPlan: state: got \"old\", expected 'new' or 'existing'",
            {"initial-cluster-state": "old"}),
    Invalid("empty-token", lambda: plan(token=""), f'token: got "", {TEXT}', etcd_does="clusters of the same "
            "URLs mix"),
    Invalid("data-dir-up", lambda: plan(data_dir="/var/lib/../x"),
            'data_dir: got "/var/lib/../x", expected a path without ..', etcd_does="it uses that folder"),
    Invalid("data-dir-home", lambda: plan(data_dir="~/etcd"),
            'data_dir: got "~/etcd", expected a full path: only shells expand ~, and etcd uses it as a name',
            etcd_does="it creates a folder of that name"),
    Invalid("newline-in-zone", lambda: one(zone="eu\n\n```sh\nx"),
            f'member "one": zone: got "eu\\n\\n```sh\\nx", {TEXT}',
            etcd_does="it never sees it; in a runbook it would begin a block of its own"),
    Invalid("escape-in-zone", lambda: one(zone="eu\x1b[31m"), f'member "one": zone: got "eu\\x1b[31m", {TEXT}',
            etcd_does="it never sees it; in a notice it would control the terminal"),
    Invalid("zone-of-some", lambda: plan(one(zone="a"), one("two", "http://127.0.0.1:1", "http://127.0.0.1:2")),
            'member "two": zone: missing, but other members have one; set it for all members or for none',
            etcd_does="nothing: only a plan has it"),
)  # fmt: skip

ETCD_SAYS = {
    "no-members": "couldn't find local name .one. in the initial cluster configuration",
    "empty-name": r"couldn't find local name \W+ in the initial cluster configuration",
    "comma-in-name": "error setting up initial cluster: URL scheme must be http, https, unix, or unixs",
    "equals-in-name": "error setting up initial cluster: parse .*first path segment in URL cannot contain colon",
    "space-before-name": "couldn't find local name .one. in the initial cluster configuration",
    "long-name": "failed to list data directory.*file name too long",
    "same-name": "--initial-cluster has one=.* but missing from --initial-advertise-peer-urls=",
    "no-scheme": "for flag -initial-advertise-peer-urls: parse .*first path segment in URL cannot contain colon",
    "empty-url": "error setting up initial cluster: URL scheme must be http, https, unix, or unixs",
    "no-port": "for flag -initial-advertise-peer-urls: URL address does not have the form .host:port.",
    "slash-at-end": "for flag -initial-advertise-peer-urls: URL must not contain a path",
    "path": "for flag -initial-advertise-peer-urls: URL must not contain a path",
    "other-scheme": "for flag -initial-advertise-peer-urls: URL scheme must be http, https, unix, or unixs",
    "space-inside": "for flag -initial-advertise-peer-urls: parse .*invalid character . . in host name",
    "comma-and-space": "for flag -initial-advertise-peer-urls: parse .*first path segment in URL cannot contain colon",
    "port-text": "for flag -initial-advertise-peer-urls: parse .*invalid port .:peer. after host",
    "empty-host": "--initial-advertise-peer-urls .* must be .*host:port.* .unexpected empty host",
    "bare-ipv6": "URL address does not have the form .host:port.|invalid port .* after host",
    "ipv6-zone": "for flag -initial-advertise-peer-urls: parse .*invalid URL escape",
    "no-urls": r"must advertise accessible url|--advertise-client-urls is required",
    "url-twice": "has duplicate url|failed to resolve .* to match --initial-cluster=",
    "peer-url-shared": "has duplicate url",
    "host-in-listen-peer": "expected IP in URL for binding .http://node1:",
    "host-in-listen-client": "expected IP in URL for binding .http://node1:",
    "port-65536": "address 65536: invalid port",
    "same-port": "address already in use",
    "wildcard-over-port": "address already in use",
    "https-peer-without-files": "cannot listen on TLS for .*: KeyFile and CertFile are not presented",
    "https-client-without-files": "must be provided for client url .* with HTTPS scheme",
    "mixed-schemes": "must be provided for client url .* with HTTPS scheme",
    "key-file-missing": "KeyFile and CertFile must both be present",
    "election-too-short": "should be at least as 5 times as --heartbeat-interval",
    "election-too-long": "--election-timeout.* is too long",
    "no-heartbeat": "--heartbeat-interval must be >0",
    "no-election": "--election-timeout must be >0",
    "quota-with-unit": "invalid value .8G. for flag -quota-backend-bytes",
    "quota-beyond-addresses": "cannot allocate memory",
    "negative": "invalid value .-1. for flag -max-snapshots",
    "too-large": "for flag -quota-backend-bytes: value out of range",
    "not-a-boolean": "invalid boolean value .yes. for -pre-vote",
    "duration-without-unit": "invalid value .5. for flag -grpc-keepalive-min-time",
    "retention-text": "error parsing CompactionRetention: time: invalid duration",
    "retention-negative": "error parsing CompactionRetention: time: missing unit in duration",
    "retention-too-long": "error parsing CompactionRetention: time: invalid duration",
    "compaction-mode": "unknown auto-compaction-mode .*period",
    "log-level": "(unknown level|unrecognized level:) .loud",
    "logger": "unknown logger option .*syslog",
    "unknown-flag": "flag provided but not defined: -quota-bytes",
    "removed-flag": "flag provided but not defined: -debug",
    "later-flag": "flag provided but not defined: -feature-gates",
    "later-patch": "flag provided but not defined: -max-concurrent-streams",
    "discovery": "multiple discovery or bootstrap flags are set|flag provided but not defined: -discovery",
    "state": "invalid value .old. for flag -initial-cluster-state",
}
"""What etcd prints for a mistake, as a pattern; a bar separates what older and newer versions print."""
