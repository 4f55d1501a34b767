"""The same everyday bot in each library: what an ordinary bot does, one scenario after the other, told as PASS or FAIL.

    python library_scenarios.py --library discord|disnake|nextcord|hikari --url http://127.0.0.1:8080

The libraries are unmodified; only where they look for the server is set. Exit status 0 when every scenario passed, else 1.
"""
import argparse
import asyncio
import importlib
import logging
import secrets
import sys

import aiohttp

from people import PATIENCE, Disturbance, Person

BLOB = secrets.token_bytes(70_000)
THUMB = "\N{THUMBS UP SIGN}"


class World:
    """A guild with an owner, and a bot of one library that is in it."""

    async def build(self, http, url, library):
        tag = secrets.token_hex(4)
        self.owner = await Person(http, url + "/api/v10", f"owner_{tag}").register()
        self.guest = await Person(http, url + "/api/v10", f"guest_{tag}").register()
        self.guild = int((await self.owner.call("POST", "/guilds", {"name": f"Guild {tag}"}))["id"])
        channels = await self.owner.call("GET", f"/guilds/{self.guild}/channels")
        self.channel = next(int(channel["id"]) for channel in channels if channel["type"] == 0)
        self.token = await self.owner.make_bot(str(self.guild), f"Bot {tag}")
        self.library, self.url = library, url
        module = importlib.import_module("libraries.hikari_bot" if library == "hikari" else "libraries.forks")
        self.make = lambda token: module.Bot(library, url, token)
        self.bot = self.make(self.token)
        return self


async def login(world):
    """Login, IDENTIFY, ready; the guild, its channel, its owner and the bot itself are in the cache."""
    await world.bot.start()
    await world.bot.hear("guild", lambda guild: guild == world.guild)
    known = world.bot.known(world.guild)
    assert world.channel in known["channels"], "the channel is missing"
    assert {world.owner.id, world.bot.id} <= known["members"], "a member is missing"


async def echo(world):
    """A message is heard; the bot's reply reaches everybody and says what it answers."""
    asked = await world.owner.send(world.channel, "echo hello")
    heard = await world.bot.hear("message", lambda message: message.id == int(asked["id"]))
    assert (heard.author, heard.text, heard.channel) == (world.owner.id, "echo hello", world.channel), heard
    answer = await world.bot.reply(world.channel, heard.id, "hello")
    heard = await world.bot.hear("message", lambda message: message.id == answer)
    assert (heard.author, heard.text, heard.answers) == (world.bot.id, "hello", int(asked["id"])), heard
    stored = await world.owner.call("GET", f"/channels/{world.channel}/messages/{answer}")
    assert stored["referenced_message"]["id"] == asked["id"], stored


async def edit(world):
    """An edit is told and stays."""
    message = await world.bot.send(world.channel, "first")
    await world.bot.edit(world.channel, message, "second")
    await world.bot.hear("edited", lambda change: change == (message, "second"))
    assert (await world.bot.fetch(world.channel, message)).text == "second"


async def reactions(world):
    """Reactions of the bot and of a person are told, counted, and taken away."""
    message = await world.bot.send(world.channel, "react to me")
    await world.bot.react(world.channel, message, THUMB)
    await world.bot.hear("reacted", lambda change: change == (message, THUMB, world.bot.id))
    path = f"/channels/{world.channel}/messages/{message}/reactions/%F0%9F%91%8D/@me"
    await world.owner.call("PUT", path)
    await world.bot.hear("reacted", lambda change: change == (message, THUMB, world.owner.id))
    assert (await world.bot.fetch(world.channel, message)).reactions == {THUMB: 2}
    await world.bot.unreact(world.channel, message, THUMB)
    await world.bot.hear("unreacted", lambda change: change == (message, THUMB, world.bot.id))
    assert (await world.bot.fetch(world.channel, message)).reactions == {THUMB: 1}


async def attachment(world):
    """A file goes up and comes down byte by byte."""
    message = await world.bot.send(world.channel, "file", file=("bl\u00f6b x.bin", BLOB))
    found = await world.bot.fetch(world.channel, message)
    assert found.sizes == [len(BLOB)], found
    assert await world.bot.download(world.channel, message) == BLOB


async def history(world):
    """The history over two pages, and from a message in both directions."""
    made = await world.owner.call("POST", f"/guilds/{world.guild}/channels", {"name": "history", "type": 0})
    channel = int(made["id"])
    await world.bot.hear("channel", lambda made: made == channel)
    ids = [int((await world.owner.send(channel, f"m{n}"))["id"]) for n in range(120)]
    assert await world.bot.history(channel, limit=120) == ids[::-1], "all, newest first"
    assert sorted(await world.bot.history(channel, limit=10, before=ids[60])) == ids[50:60], "before"
    assert sorted(await world.bot.history(channel, limit=10, after=ids[60])) == ids[61:71], "after"


async def delete(world):
    """A deletion is told, and the message is gone."""
    message = await world.bot.send(world.channel, "to be deleted")
    await world.bot.delete(world.channel, message)
    await world.bot.hear("deleted", lambda gone: gone == message)
    assert await world.bot.fetch(world.channel, message) is None, "it can be fetched still"


async def members(world):
    """Somebody joins and leaves, and the bot is told."""
    invite = await world.owner.call("POST", f"/channels/{world.channel}/invites", {})
    await world.guest.call("POST", f"/invites/{invite['code']}", {})
    await world.bot.hear("joined", lambda user: user == world.guest.id)
    await world.guest.call("DELETE", f"/users/@me/guilds/{world.guild}")
    await world.bot.hear("left", lambda user: user == world.guest.id)


async def direct_message(world):
    """A direct message both ways."""
    channel, message = await world.bot.send_direct(world.owner.id, "psst")
    inbox = await world.owner.call("GET", f"/channels/{channel}/messages")
    assert [int(entry["id"]) for entry in inbox] == [message], inbox
    back = await world.owner.send(channel, "yes?")
    heard = await world.bot.hear("message", lambda message: message.id == int(back["id"]))
    assert (heard.channel, heard.text) == (channel, "yes?"), heard


async def resume(world):
    """A connection is cut with messages on their way: the bot resumes and hears each once and in order."""
    texts = [f"cut {n}" for n in range(20)]
    for n, text in enumerate(texts):
        if n == 5: world.bot.cut()
        await world.owner.send(world.channel, text)
    await world.bot.hear("message", lambda message: message.text == texts[-1])
    await world.bot.hear("resumed")
    heard = [m.text for kind, m in world.bot.heard if kind == "message" and m.text.startswith("cut ")]
    assert heard == texts, heard


async def forbidden(world):
    """What the bot may not do is refused with the library's own error."""
    await world.owner.call("PUT", f"/channels/{world.channel}/permissions/{world.guild}", {
        "type": 0, "allow": "0", "deny": str(1 << 11)})
    other = world.make(await world.owner.make_bot(str(world.guild), "Plain", permissions=0))
    assert await other.is_forbidden(world.channel), "sending was allowed"
    await world.owner.call("DELETE", f"/channels/{world.channel}/permissions/{world.guild}")


async def wrong_token(world):
    """A wrong token is the library's login error, not a hang."""
    stranger = world.make(world.token[:-3] + "xyz")
    assert await stranger.is_refused(), "a wrong token was let in"


async def nothing_broke(world):
    """No event made the library raise."""
    broken = [what for kind, what in world.bot.heard if kind == "broken"]
    assert not broken, broken[0]


SCENARIOS = [
    login, echo, edit, reactions, attachment, history, delete, members, direct_message, resume, forbidden, wrong_token,
    nothing_broke,
]


async def run(library, url, disturbance):
    failed = 0
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        world = await asyncio.wait_for(World().build(http, url, library), 4 * PATIENCE)
        for scenario in SCENARIOS:
            try:
                await disturbance.during(asyncio.wait_for(scenario(world), 4 * PATIENCE))
                print("PASS", f"{library}:", scenario.__doc__.strip(), flush=True)
            except Exception as error:  # each failure becomes a line, the rest goes on
                failed += 1
                print("FAIL", f"{library}:", scenario.__doc__.strip(), "--", type(error).__name__, error, flush=True)
                if scenario is login:
                    break
        await asyncio.wait_for(world.bot.close(), PATIENCE)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, choices=["discord", "disnake", "nextcord", "hikari"])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--restart-postgres", metavar="DIR", help="data directory of the private Postgres to restart in each")
    parser.add_argument("--debug", action="store_true", help="log what the library does")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if arguments.debug else logging.ERROR)
    disturbance = Disturbance(arguments.restart_postgres)
    sys.exit(1 if asyncio.run(run(arguments.library, arguments.url.rstrip("/"), disturbance)) else 0)


if __name__ == "__main__":
    main()
