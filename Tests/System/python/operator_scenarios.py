"""What an operator does and sees, with real processes: one scenario after the other, each told as PASS or FAIL.

    python operator_scenarios.py --flux .build/debug/flux

Starts a Postgres (`flux postgres run`) and a node on it, on free ports, below a directory that goes away. Needs the
standard library alone. Exit status 0 when every scenario passed, else 1.
"""
import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 60.0
"""Seconds after which something that should have happened counts as not happening."""


def until(what, found):
    """Waits until `found()` is true, and returns what it gave."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = found()
        if value: return value
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE:g} s: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """A Postgres and a node on it."""

    def __init__(self, flux, directory):
        self.flux, self.directory = flux, directory
        self.postgres = self.node = None
        self.log = os.path.join(directory, "log")

    def start(self):
        with open(os.path.join(self.directory, "postgres.log"), "w") as log:
            self.postgres = subprocess.Popen(
                [self.flux, "postgres", "run", "--data-dir", self.path("postgres"), "--port", str(free_port())],
                stdout=subprocess.PIPE, stderr=log, text=True)
        self.database = self.postgres.stdout.readline().strip()
        assert self.database.startswith("postgres://"), f"no URL on standard output: {self.database!r}"
        self.password = re.search(r":([^:@/]+)@", self.database).group(1)
        self.start_node()

    def start_node(self):
        with open(self.log, "a") as log:
            self.node = subprocess.Popen(
                [self.flux, "node", "run", "--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0",
                 "--admin-listen", "127.0.0.1:0", "--data-dir", self.path("node"), "--database-url", self.database,
                 "--set", "logging.level=trace", "--set", "logging.format=json"],
                stderr=log)
        card = self.path("node", "node.json")
        until("node.json", lambda: os.path.exists(card) or self.node.poll() is not None)
        with open(card) as file:
            self.card = json.load(file)
        until("ready", lambda: self.get("/readyz")[0] == 200)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def get(self, path):
        """Status, type and body of a GET on the admin port."""
        try:
            with urllib.request.urlopen(f"http://{self.card['admin']}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()

    def run(self, *arguments, **environment):
        """A command to its end: status, standard output, standard error."""
        done = subprocess.run(
            [self.flux, *arguments], capture_output=True, text=True, timeout=PATIENCE,
            env={**os.environ, **environment})
        return done.returncode, done.stdout, done.stderr

    def stop(self):
        for process in (self.node, self.postgres):
            if process and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(PATIENCE)


# The parts of a sample of Prometheus's text format.
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$')
WANTED = [
    "flux_gateway_connections", "flux_sessions", "flux_messages_total", "flux_deliveries_total",
    "flux_gateway_deliveries_total", "flux_lane_rows", "flux_lane_oldest_seconds", "flux_lane_commit_seconds",
    "flux_live_to_final_seconds", "flux_replay_bytes", "flux_event_loop_lag_seconds", "flux_ready",
    "process_resident_memory_bytes", "process_cpu_seconds_total",
]


def metrics(site):
    """/metrics is well-formed: each family once, with HELP and TYPE, base units, and everything that is promised."""
    # A registration, a guild and a message, so that the histograms have something in them.
    api = f"{site.card['url']}/api/v10"

    def post(path, body, token=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
        with urllib.request.urlopen(urllib.request.Request(api + path, json.dumps(body).encode(), headers)) as answer:
            return json.load(answer)
    token = post("/auth/register", {"username": "metric", "password": "long enough", "return_token": True})["token"]
    guild = post("/guilds", {"name": "Metrics"}, token)
    with urllib.request.urlopen(urllib.request.Request(
            f"{api}/guilds/{guild['id']}/channels", headers={"Authorization": token})) as answer:
        channel = next(c["id"] for c in json.load(answer) if c["type"] == 0)
    post(f"/channels/{channel}/messages", {"content": "count me"}, token)

    def samples():
        status, kind, text = site.get("/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8"), (status, kind)
        return text
    text = until("a commit that was counted", lambda: (t := samples()) if re.search(
        r"^flux_live_to_final_seconds_count.* [1-9]", samples(), re.M) else None)
    assert text.endswith("\n")
    kinds, helped, family, seen = {}, set(), None, set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, family, told = line.split(" ", 3)
            assert family not in helped, f"{family} begins twice"
            assert told.strip(), f"{family} has no help"
            helped.add(family)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family, f"TYPE of {name} inside {family}"
            kinds[name] = kind
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line}"
            name, labels, value = match.groups()
            float(value)
            base = re.sub(r"_(bucket|sum|count)$", "", name) if kinds.get(family) == "histogram" else name
            assert base == family, f"{name} stands inside {family}"
            assert (name, labels) not in seen, f"twice: {line}"
            seen.add((name, labels))
    assert kinds.keys() == helped
    for name, kind in kinds.items():
        assert re.fullmatch(r"(flux|process)_[a-z_]+", name), f"{name}: prefix, lower case"
        assert name.endswith("_total") == (kind == "counter"), f"{name} is a {kind}"
        assert not re.search(r"_(milliseconds|ms|microseconds|us|minutes|kilobytes|kb|mb|percent)(_|$)", name), name
        if kind == "histogram":
            assert re.search(r"_(seconds|bytes|rows)$", name), f"{name}: a histogram without a unit"
    names = {re.sub(r"_(bucket|sum|count)$", "", name) if name not in kinds else name for name, _ in seen}
    assert not set(WANTED) - names, f"missing: {set(WANTED) - names}"


def logs(site):
    """Every log line is a JSON object, and no secret is in any."""
    with open(site.log) as file:
        lines = file.read().splitlines()
    assert lines
    for line in lines:
        event = json.loads(line)
        assert {"time", "level", "logger", "message"} <= event.keys(), line
    for place in (site.log, site.path("postgres.log")):
        with open(place) as file:
            assert site.password not in file.read(), f"the password of the database is in {place}"


def readiness(site):
    """While Postgres is away the node lives, is not ready and says why; then it is ready again."""
    site.postgres.send_signal(signal.SIGSTOP)  # or it would start its server again at once
    with open(site.path("postgres", "postgres", "data", "postmaster.pid")) as file:
        os.kill(int(file.readline()), signal.SIGINT)
    until("not ready", lambda: site.get("/readyz")[0] == 503)
    reasons = json.loads(site.get("/readyz")[2])["reasons"]
    assert [reason["code"] for reason in reasons] == ["postgres"], reasons
    assert site.get("/livez")[0] == 200
    assert re.search(r"^flux_ready 0$", site.get("/metrics")[2], re.M)
    site.postgres.send_signal(signal.SIGCONT)
    until("ready again", lambda: site.get("/readyz")[0] == 200)


def provisioning(site):
    """`flux admin provision` makes people who can use their tokens; a repeat finds them again."""
    found = []
    for _ in range(2):
        status, text, error = site.run(
            "admin", "provision", "--admin", f"http://{site.card['admin']}", "--users", "30", "--guilds", "3",
            "--members", "10", "--channels", "2", "--prefix", "many")
        assert status == 0, error
        people = [json.loads(line) for line in text.splitlines()]
        assert [person["username"] for person in people] == [f"many{n}" for n in range(30)]
        assert all(len(p["guild_ids"]) == 1 and len(p["channel_ids"]) == 2 for p in people)
        found.append([(p["user_id"], p["guild_ids"], p["channel_ids"]) for p in people])
    assert found[0] == found[1], "the repeat made others"
    with urllib.request.urlopen(urllib.request.Request(
            f"{site.card['url']}/api/v10/users/@me/guilds", headers={"Authorization": people[7]["access_token"]})) as answer:
        assert [guild["id"] for guild in json.load(answer)] == people[7]["guild_ids"]


def refusals(site):
    """Each mistake ends with its own status and one clear line."""
    taken = site.card["listen"]
    private = site.path("private")
    cases = [
        (64, ["node", "run", "--nonsense"], "nonsense"),
        (64, ["admin", "provision", "--users", "0"], "--users"),
        (17, ["admin", "provision", "--admin", "http://127.0.0.1:1"], "no node answers"),
        (69, ["node", "run", "--data-dir", site.path("node")], "another node is running in it"),
        (69, ["node", "run", "--data-dir", private, "--admin-listen", taken], "admin_listen"),
        (69, ["node", "run", "--data-dir", private, "--admin-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0",
              "--database-url", "postgres://flux:hush@127.0.0.1:1/flux"], "Postgres cannot be reached"),
        (73, ["node", "run", "--data-dir", "/proc/none"], "data_dir"),
        (78, ["node", "run", "--rate-limits", "maybe"], "on or off"),
        (78, ["node", "run", "--set", "nonsense=1"], "unknown key nonsense"),
        (78, ["node", "run", "--data-dir", private, "--set", "tls.cert=/none", "--set", "tls.key=/none"], "/none"),
        (78, ["config", "check", "--set", "tls.cert=/none", "--set", "tls.key=/none"], "/none"),
    ]
    for status, arguments, words in cases:
        got, _, error = site.run(*arguments)
        assert got == status, f"flux {' '.join(arguments)}: {got} and not {status}: {error}"
        last = error.strip().splitlines()[-1] if status != 64 else error
        assert words in last, f"flux {' '.join(arguments)}: {error}"
        assert "hush" not in error, "a password is shown"
    assert not os.path.exists(os.path.join(private, "postgres")), "something was made before the mistake was found"


def drain(site):
    """SIGTERM ends the node with status 0; it can be started again and is ready."""
    site.node.send_signal(signal.SIGTERM)
    assert site.node.wait(PATIENCE) == 0
    assert not os.path.exists(site.path("node", "node.json"))
    site.start_node()


SCENARIOS = [metrics, readiness, provisioning, refusals, drain, logs]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flux", required=True, help="the binary")
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        # Postgres runs as another user when this is root, and has to get through.
        os.chmod(directory, 0o755)
        site = Site(os.path.abspath(arguments.flux), directory)
        try:
            site.start()
            for scenario in SCENARIOS:
                try:
                    scenario(site)
                    print("PASS", "operator:", scenario.__doc__.strip(), flush=True)
                except Exception as error:  # each failure becomes a line, the rest goes on
                    failed += 1
                    print("FAIL", "operator:", scenario.__doc__.strip(), "--", type(error).__name__, error, flush=True)
        finally:
            site.stop()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
