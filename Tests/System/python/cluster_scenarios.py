"""The shared discord.py check on one node of a cluster, while a second session of the same bot on another node hears it all.

    python cluster_scenarios.py --smoke ../shared/compat/discordpy_smoke.py --url http://127.0.0.1:8080 --other http://127.0.0.1:8082

What the bot is told on the first node the second session has to be told on the other, word for word and in the same order
in each channel. Exit status 0 when the check passed and that holds, else 1.
"""
import argparse
import asyncio
import collections
import importlib.util
import json
import logging
import sys

import aiohttp

from people import PATIENCE

BEFORE = ("READY", "RESUMED", "GUILD_CREATE")
"""What tells a session how things stand, at its own time."""

FLEETING = ("PRESENCE_UPDATE", "TYPING_START")
"""What may be dropped."""


def load(path):
    spec = importlib.util.spec_from_file_location("smoke", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def place(event):
    """Where order holds: a channel, else everything of one kind."""
    kind, body = event
    return body.get("channel_id") or kind


def lasting(kind, body):
    return kind not in BEFORE and kind not in FLEETING


class Twin:
    """A second session of a bot, by the wire alone."""

    def __init__(self, url, token, intents):
        self.url, self.token, self.intents = url, token, intents
        self.heard = []
        self.is_ready = asyncio.Event()

    async def run(self):
        async with aiohttp.ClientSession() as http, http.ws_connect(self.url + "/?v=10&encoding=json") as socket:
            hello = await socket.receive_json()
            beating = asyncio.ensure_future(self.beat(socket, hello["d"]["heartbeat_interval"] / 1000))
            await socket.send_json({"op": 2, "d": {
                "token": self.token, "intents": self.intents, "properties": {"os": "linux", "browser": "twin", "device": ""}}})
            self.last = None
            try:
                async for frame in socket:
                    payload = json.loads(frame.data)
                    if payload["op"] != 0: continue
                    assert payload["s"] == (self.last or 0) + 1, f"s {payload['s']} after {self.last}"
                    self.last = payload["s"]
                    if payload["t"] == "READY": self.is_ready.set()
                    self.heard.append((payload["t"], payload["d"]))
            finally:
                beating.cancel()
        raise AssertionError(f"the second session's connection was closed with {socket.close_code}")

    async def beat(self, socket, interval):
        while True:
            await asyncio.sleep(interval)
            await socket.send_json({"op": 1, "d": self.last})


def watch(smoke, other):
    """Has every bot of the check be followed by a twin on another node; what was heard, by bot."""
    pairs = []

    class Watched(smoke.EchoBot):
        def __init__(self):
            super().__init__()
            self.heard = []

        async def start(self, token, **more):
            twin = Twin(other, token, self.intents.value)
            running = asyncio.ensure_future(twin.run())
            ready = asyncio.ensure_future(twin.is_ready.wait())
            await asyncio.wait({running, ready}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            assert twin.is_ready.is_set(), f"the second session was not ready: {running}"
            pairs.append((self, twin, running))
            await super().start(token, **more)

    def noted(state):
        """The library hands each event to a parser of its name; what comes before it is what the wire said."""
        original = state.__init__

        def make(self, *arguments, **more):
            original(self, *arguments, **more)
            for kind, parse in list(self.parsers.items()):
                self.parsers[kind] = heard(kind, parse)
        state.__init__ = make

    def heard(kind, parse):
        def take(body):
            if pairs and lasting(kind, body): pairs[-1][0].heard.append((kind, json.loads(json.dumps(body))))
            return parse(body)
        return take

    noted(smoke.discord.state.ConnectionState)
    smoke.EchoBot = Watched
    return pairs


def by_place(events):
    places = collections.defaultdict(list)
    for event in events: places[place(event)].append(event)
    return places


async def compare(bot, twin, running):
    """Waits until the twin has heard what the bot was told."""
    def missing():
        told = by_place(twin_events())
        for where, events in by_place(bot.heard).items():
            rest = iter(told[where])
            for event in events:
                if not any(event == other for other in rest): return where, event
        return None

    def twin_events():
        return [event for event in twin.heard if lasting(*event)]

    end = asyncio.get_running_loop().time() + PATIENCE
    while missing() and asyncio.get_running_loop().time() < end and not running.done(): await asyncio.sleep(0.05)
    if running.done(): running.result()
    gone = missing()
    assert not gone, f"not heard on the other node, or out of order: {gone}"
    assert len(bot.heard) > 20, f"only {len(bot.heard)} events were compared"
    running.cancel()
    return len(bot.heard)


async def run(options):
    smoke = load(options.smoke)
    pairs = watch(smoke, options.other)
    status = await smoke.run(options.url, PATIENCE)
    name = "a second session on another node hears what the bot hears"
    try:
        assert pairs, "the check started no bot"
        count = sum([await compare(*pair) for pair in pairs])
        print(f"PASS {name} ({count} events)")
    except AssertionError as failure:
        print(f"FAIL {name}: {failure}")
        status = 1
    return status


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--smoke", required=True)
    options.add_argument("--url", required=True)
    options.add_argument("--other", required=True)
    logging.basicConfig(level=logging.ERROR)
    sys.exit(asyncio.run(run(options.parse_args())))


if __name__ == "__main__":
    main()
