"""discord.py and what was forked from it: disnake and nextcord. One bot for the three."""
import asyncio
import importlib
import io
import traceback

import yarl

from libraries import Ears, Said


class Bot(Ears):
    def __init__(self, library, url, token):
        super().__init__()
        self.lib = importlib.import_module(library)
        http = importlib.import_module(library + ".http")
        http.Route.BASE = url + "/api/v10"
        importlib.import_module(library + ".asset").Asset.BASE = url
        if library == "discord":
            base = yarl.URL(url)
            gateway = base.with_scheme(base.scheme.replace("http", "ws")).with_path("/")
            importlib.import_module("discord.gateway").DiscordWebSocket.DEFAULT_GATEWAY = gateway
        self.token = token
        self.client = _make_client(self.lib, self)
        self.running = None

    @property
    def id(self):
        return self.client.user.id

    async def start(self):
        self.running = asyncio.ensure_future(self.client.start(self.token))
        ready = asyncio.ensure_future(self.hear("ready"))
        await asyncio.wait([self.running, ready], return_when=asyncio.FIRST_COMPLETED)
        if self.running.done(): self.running.result()
        await ready

    async def close(self):
        await self.client.close()
        if self.running: await asyncio.wait([self.running])

    def cut(self):
        self.client.ws.socket._response.connection.transport.abort()

    def known(self, guild):
        guild = self.client.get_guild(guild)
        return {"channels": {c.id for c in guild.channels}, "members": {m.id for m in guild.members}}

    def _channel(self, channel):
        return self.client.get_partial_messageable(channel, type=self.lib.ChannelType.text)

    def _message(self, channel, message):
        return self._channel(channel).get_partial_message(message)

    async def send(self, channel, text, file=None):
        more = {"file": self.lib.File(io.BytesIO(file[1]), file[0])} if file else {}
        return (await self._channel(channel).send(text, **more)).id

    async def reply(self, channel, message, text):
        return (await self._message(channel, message).reply(text)).id

    async def edit(self, channel, message, text):
        await self._message(channel, message).edit(content=text)

    async def delete(self, channel, message):
        await self._message(channel, message).delete()

    async def react(self, channel, message, emoji):
        await self._message(channel, message).add_reaction(emoji)

    async def unreact(self, channel, message, emoji):
        await self._message(channel, message).remove_reaction(emoji, self.client.user)

    async def fetch(self, channel, message):
        try:
            return said(await self._channel(channel).fetch_message(message))
        except self.lib.NotFound:
            return None

    async def download(self, channel, message):
        return await (await self._channel(channel).fetch_message(message)).attachments[0].read()

    async def history(self, channel, limit, before=None, after=None):
        edges = {k: self.lib.Object(v) for k, v in (("before", before), ("after", after)) if v}
        return [message.id async for message in self._channel(channel).history(limit=limit, **edges)]

    async def send_direct(self, user, text):
        message = await (await self.client.fetch_user(user)).send(text)
        return message.channel.id, message.id

    async def is_forbidden(self, channel):
        await self.client.login(self.token)
        try:
            await self._channel(channel).send("no")
        except self.lib.Forbidden as error:
            return error.code == 50013
        finally:
            await self.client.close()

    async def is_refused(self):
        try:
            await self.client.login(self.token)
        except self.lib.LoginFailure:
            return True
        finally:
            await self.client.close()


def said(message):
    reference = message.reference
    return Said(
        message.id, message.channel.id, message.author.id, message.content, reference and reference.message_id,
        {str(reaction.emoji): reaction.count for reaction in message.reactions},
        [attachment.size for attachment in message.attachments])


def _make_client(lib, ears):
    class Client(lib.Client):
        async def on_ready(self): ears.note("ready")
        async def on_resumed(self): ears.note("resumed")
        async def on_message(self, message): ears.note("message", said(message))
        async def on_raw_message_edit(self, change): ears.note("edited", (change.message_id, change.data["content"]))
        async def on_raw_message_delete(self, change): ears.note("deleted", change.message_id)
        async def on_raw_reaction_add(self, c): ears.note("reacted", (c.message_id, str(c.emoji), c.user_id))
        async def on_raw_reaction_remove(self, c): ears.note("unreacted", (c.message_id, str(c.emoji), c.user_id))
        async def on_guild_channel_create(self, channel): ears.note("channel", channel.id)
        async def on_member_join(self, member): ears.note("joined", member.id)
        async def on_member_remove(self, member): ears.note("left", member.id)
        async def on_guild_available(self, guild): ears.note("guild", guild.id)

        async def on_error(self, event, *a, **k):
            text = traceback.format_exc()
            # nextcord asks for its slash commands whenever it connects. The server has none yet and says so; the library
            # goes on (docs/bots.md).
            if event == "on_connect" and "get_global_commands" in text and "404 Not Found" in text: return
            ears.note("broken", f"{event}: {text}")

        def dispatch(self, event, *a, **k):
            if event == "ready":
                for guild in self.guilds: ears.note("guild", guild.id)
            super().dispatch(event, *a, **k)

    return Client(intents=lib.Intents.all())
