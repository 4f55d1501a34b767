"""Real discord.py clients against a running node: one scenario after the other, each told as PASS or FAIL.

    python bot_scenarios.py --url http://127.0.0.1:8080 [--restart-postgres data/postgres/data]

Needs a fresh or used server that lets anybody register. Exit status 0 when every scenario passed, else 1.
"""
import argparse
import asyncio
import io
import logging
import secrets
import sys
import traceback

import aiohttp
import discord
import yarl

from people import PATIENCE, Disturbance, Person, Refused


class Listener(discord.Client):
    """Keeps every event, so that a scenario can wait for one that may have come already."""

    def __init__(self):
        super().__init__(intents=discord.Intents.all(), max_messages=None)
        self.heard = []
        self.news = asyncio.Condition()

    def dispatch(self, event, /, *arguments, **more):
        super().dispatch(event, *arguments, **more)
        self.heard.append((event, arguments))
        asyncio.ensure_future(self._wake())

    async def _wake(self):
        async with self.news:
            self.news.notify_all()

    async def on_error(self, event, *arguments, **more):
        self.heard.append(("broken", (event, traceback.format_exc())))

    async def hear(self, event, fits=lambda *arguments: True):
        """The arguments of the first event of a name that fits."""
        def found():
            return next((a for name, a in self.heard if name == event and fits(*a)), None)

        async def wait():
            async with self.news:
                await self.news.wait_for(lambda: found() is not None)
        try:
            await asyncio.wait_for(wait(), PATIENCE)
        except asyncio.TimeoutError:
            names = sorted({name for name, _ in self.heard if not name.startswith("socket")})
            raise AssertionError(f"no fitting {event} in {PATIENCE:g} s; heard: {', '.join(names)}") from None
        return found()

    def texts(self, channel):
        """What was said in a channel, in the order in which it was heard."""
        return [a[0].content for name, a in self.heard if name == "message" and a[0].channel.id == channel]


class World:
    """One guild with an owner, a guest and a bot that listens."""

    async def build(self, http, url):
        self.http, self.url, self.api = http, url, url + "/api/v10"
        tag = secrets.token_hex(4)
        self.owner = await Person(http, self.api, f"owner_{tag}").register()
        self.guest = await Person(http, self.api, f"guest_{tag}").register()
        self.guild = (await self.owner.call("POST", "/guilds", {"name": f"Guild {tag}"}))["id"]
        self.token = await self.owner.make_bot(self.guild, f"Bot {tag}")
        self.bot = Listener()
        self.running = asyncio.ensure_future(self.bot.start(self.token))
        await self.bot.hear("ready")
        return self

    async def channel(self, name):
        """A new channel, known to the bot."""
        made = await self.owner.call("POST", f"/guilds/{self.guild}/channels", {"name": name, "type": 0})
        await self.bot.hear("guild_channel_create", lambda channel: channel.id == int(made["id"]))
        return self.bot.get_channel(int(made["id"]))

    async def close(self):
        await self.bot.close()
        await asyncio.wait([self.running], timeout=PATIENCE)


async def order_of_many_senders(world):
    """Messages that two people send at once reach the bot in the order of their ids, each once."""
    channel = await world.channel("order")
    invite = await world.owner.call("POST", f"/channels/{channel.id}/invites", {})
    await world.guest.call("POST", f"/invites/{invite['code']}", {})
    await world.bot.hear("member_join", lambda member: member.id == world.guest.id)
    await asyncio.gather(*(
        person.send(channel.id, f"{person.name} {n}") for n in range(20) for person in (world.owner, world.guest)))
    await world.bot.hear("message", lambda m: len(world.bot.texts(channel.id)) >= 40)
    heard = [a[0] for name, a in world.bot.heard if name == "message" and a[0].channel.id == channel.id]
    ids = [message.id for message in heard]
    assert ids == sorted(set(ids)), "ids do not grow in the order of delivery"
    stored = [message.id async for message in channel.history(limit=100, oldest_first=True)]
    assert stored == ids, "the history differs from what was delivered"


async def nonce_makes_one_message(world):
    """The same nonce twice is one message with one id, also at the same time."""
    channel = await world.channel("nonce")
    answers = await asyncio.gather(*(
        world.owner.send(channel.id, "once", nonce="n-1", enforce_nonce=True) for _ in range(5)))
    assert len({answer["id"] for answer in answers}) == 1, answers
    await world.owner.send(channel.id, "end")
    await world.bot.hear("message", lambda m: m.content == "end" and m.channel.id == channel.id)
    assert world.bot.texts(channel.id) == ["once", "end"], world.bot.texts(channel.id)


async def dense_numbers(world):
    """The channel's log numbers every durable change from 1 without a gap."""
    channel = await world.channel("dense")
    first = await channel.send("one")
    await first.edit(content="uno")
    await first.add_reaction("\N{SPARKLES}")
    second = await channel.send("two")
    await second.delete()
    log = await world.owner.call("GET", f"/channels/{channel.id}/events?after_seq=0&limit=100")
    kinds = [entry["t"] for entry in log["events"]]
    numbers = [entry["d"]["seq"] for entry in log["events"]]
    assert numbers == list(range(1, 6)), numbers
    assert kinds == ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_REACTION_ADD", "MESSAGE_CREATE", "MESSAGE_DELETE"], kinds
    assert log["last_seq"] == 5


async def resume_after_a_cut(world):
    """A bot that loses its connection resumes and hears each message once and in order."""
    channel = await world.channel("resume")
    await world.owner.send(channel.id, "0")
    await world.bot.hear("message", lambda m: m.channel.id == channel.id)
    before = sum(name == "resumed" for name, _ in world.bot.heard)
    world.bot.ws.socket._response.connection.transport.abort()
    for n in range(1, 16):
        await world.owner.send(channel.id, str(n))
    await world.bot.hear("message", lambda m: m.channel.id == channel.id and m.content == "15")
    assert world.bot.texts(channel.id) == [str(n) for n in range(16)], world.bot.texts(channel.id)
    assert sum(name == "resumed" for name, _ in world.bot.heard) > before, "it began a new session instead"


async def roles_and_permissions(world):
    """A right that is taken is gone when the call returns, and the bot sees the change."""
    channel = await world.channel("rights")
    guild = world.bot.get_guild(int(world.guild))
    member = await guild.fetch_member(world.guest.id)
    await world.guest.send(channel.id, "allowed")
    await channel.set_permissions(member, send_messages=False)
    try:
        await world.guest.send(channel.id, "not allowed")
    except Refused as refusal:
        assert (refusal.status, refusal.body["code"]) == (403, 50013), refusal
    else:
        raise AssertionError("sending was allowed after the overwrite")
    role = await guild.create_role(name="painter", colour=discord.Colour(0x336699), hoist=True)
    await world.bot.hear("guild_role_create", lambda made: made.id == role.id)
    await member.add_roles(role)
    await world.bot.hear("member_update", lambda old, new: any(r.id == role.id for r in new.roles))
    await role.delete()
    await world.bot.hear("guild_role_delete", lambda gone: gone.id == role.id)


async def bulk_delete(world):
    """purge() removes many messages with one event."""
    channel = await world.channel("bulk")
    ids = {(await channel.send(f"m{n}")).id for n in range(6)}
    await channel.purge(limit=6)
    payload, = await world.bot.hear("raw_bulk_message_delete", lambda p: p.channel_id == channel.id)
    assert payload.message_ids == ids
    assert [m async for m in channel.history(limit=10)] == []


async def files_and_embeds(world):
    """A file with an odd name and an embed come back as they were sent."""
    channel = await world.channel("files")
    blob = secrets.token_bytes(300_000)
    embed = discord.Embed(title="Title", description="Text", colour=0x112233).add_field(name="a", value="b")
    sent = await channel.send("both", embed=embed, file=discord.File(io.BytesIO(blob), "z\u00e4h l.bin"))
    read = await channel.fetch_message(sent.id)
    assert read.embeds[0].title == "Title" and read.embeds[0].fields[0].value == "b"
    assert read.attachments[0].size == len(blob)
    assert await read.attachments[0].read() == blob


async def wrong_token(world):
    """A wrong token is a LoginFailure, not a hang."""
    stranger = discord.Client(intents=discord.Intents.none())
    try:
        await stranger.login(world.token[:-3] + "xyz")
    except discord.LoginFailure:
        return
    finally:
        await stranger.close()
    raise AssertionError("a wrong token was let in")


async def kicked_and_gone(world):
    """A kicked member is told to everyone and may not read on."""
    channel = await world.channel("kick")
    guild = world.bot.get_guild(int(world.guild))
    await (await guild.fetch_member(world.guest.id)).kick(reason="scenario")
    await world.bot.hear("raw_member_remove", lambda p: p.user.id == world.guest.id)
    try:
        await world.guest.call("GET", f"/channels/{channel.id}/messages")
    except Refused as refusal:
        assert (refusal.status, refusal.body["code"]) == (403, 50001), refusal
    else:
        raise AssertionError("a kicked member could read")


async def nothing_broke(world):
    """No event made the library raise."""
    broken = [a for name, a in world.bot.heard if name == "broken"]
    assert not broken, broken[0]


SCENARIOS = [
    order_of_many_senders, nonce_makes_one_message, dense_numbers, resume_after_a_cut, roles_and_permissions, bulk_delete,
    files_and_embeds, wrong_token, kicked_and_gone, nothing_broke,
]


async def run(url, disturbance):
    base = yarl.URL(url)
    discord.http.Route.BASE = url + "/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base.with_scheme(base.scheme.replace("http", "ws")).with_path("/")
    discord.asset.Asset.BASE = url
    failed = 0
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        world = await asyncio.wait_for(World().build(http, url), 4 * PATIENCE)
        for scenario in SCENARIOS:
            try:
                await disturbance.during(asyncio.wait_for(scenario(world), 4 * PATIENCE))
                print("PASS", scenario.__doc__.strip(), flush=True)
            except Exception as error:  # each failure becomes a line, the rest goes on
                failed += 1
                print("FAIL", scenario.__doc__.strip(), "--", type(error).__name__, error, flush=True)
        await world.close()
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--restart-postgres", metavar="DIR", help="data directory of the private Postgres to restart in each")
    parser.add_argument("--debug", action="store_true", help="log what the library does")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if arguments.debug else logging.ERROR)
    sys.exit(1 if asyncio.run(run(arguments.url.rstrip("/"), Disturbance(arguments.restart_postgres))) else 0)


if __name__ == "__main__":
    main()
