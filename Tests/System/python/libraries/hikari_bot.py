"""hikari."""
import importlib

import hikari

from libraries import Ears, Said


class Bot(Ears):
    def __init__(self, library, url, token):
        super().__init__()
        # As docs/bots.md says; the CDN's address is a constant of the module, copied to where it is used.
        importlib.import_module("hikari.urls").CDN_URL = url
        self.api, self.token = url + "/api/v10", token
        self.bot = None

    def _make(self):
        return hikari.GatewayBot(
            self.token, rest_url=self.api, intents=hikari.Intents.ALL, banner=None, logs=None,
            suppress_optimization_warning=True)

    @property
    def id(self):
        return int(self.bot.get_me().id)

    async def start(self):
        self.bot = self._make()
        listen = {
            hikari.ShardReadyEvent: lambda e: ("ready", None),
            hikari.ShardResumedEvent: lambda e: ("resumed", None),
            hikari.GuildAvailableEvent: lambda e: ("guild", int(e.guild_id)),
            hikari.MessageCreateEvent: lambda e: ("message", said(e.message)),
            hikari.MessageUpdateEvent: lambda e: ("edited", (int(e.message_id), e.message.content)),
            hikari.MessageDeleteEvent: lambda e: ("deleted", int(e.message_id)),
            hikari.ReactionAddEvent: lambda e: ("reacted", (int(e.message_id), str(e.emoji_name), int(e.user_id))),
            hikari.ReactionDeleteEvent: lambda e: ("unreacted", (int(e.message_id), str(e.emoji_name), int(e.user_id))),
            hikari.GuildChannelCreateEvent: lambda e: ("channel", int(e.channel_id)),
            hikari.MemberCreateEvent: lambda e: ("joined", int(e.user_id)),
            hikari.MemberDeleteEvent: lambda e: ("left", int(e.user_id)),
            hikari.ExceptionEvent: lambda e: ("broken", repr(e.exception)),
        }
        for kind, tell in listen.items():
            self.bot.subscribe(kind, self._listener(tell))
        await self.bot.start()

    def _listener(self, tell):
        async def heard(event): self.note(*tell(event))
        return heard

    async def close(self):
        if self.bot: await self.bot.close()

    def cut(self):
        shard = self.bot.shards[0]
        shard._ws._ws._response.connection.transport.abort()

    def known(self, guild):
        cache = self.bot.cache
        return {
            "channels": {int(i) for i in cache.get_guild_channels_view_for_guild(guild)},
            "members": {int(i) for i in cache.get_members_view_for_guild(guild)},
        }

    async def send(self, channel, text, file=None):
        more = {"attachment": hikari.Bytes(file[1], file[0])} if file else {}
        return int((await self.bot.rest.create_message(channel, text, **more)).id)

    async def reply(self, channel, message, text):
        return int((await self.bot.rest.create_message(channel, text, reply=message)).id)

    async def edit(self, channel, message, text):
        await self.bot.rest.edit_message(channel, message, text)

    async def delete(self, channel, message):
        await self.bot.rest.delete_message(channel, message)

    async def react(self, channel, message, emoji):
        await self.bot.rest.add_reaction(channel, message, emoji)

    async def unreact(self, channel, message, emoji):
        await self.bot.rest.delete_my_reaction(channel, message, emoji)

    async def fetch(self, channel, message):
        try:
            return said(await self.bot.rest.fetch_message(channel, message))
        except hikari.NotFoundError:
            return None

    async def download(self, channel, message):
        return await (await self.bot.rest.fetch_message(channel, message)).attachments[0].read()

    async def history(self, channel, limit, before=None, after=None):
        edges = {k: v for k, v in (("before", before), ("after", after)) if v}
        return [int(m.id) async for m in self.bot.rest.fetch_messages(channel, **edges).limit(limit)]

    async def send_direct(self, user, text):
        channel = await self.bot.rest.create_dm_channel(user)
        return int(channel.id), int((await channel.send(text)).id)

    async def is_forbidden(self, channel):
        async with self._rest() as rest:
            try:
                await rest.create_message(channel, "no")
            except hikari.ForbiddenError as error:
                return error.code == 50013

    async def is_refused(self):
        stranger = self._make()
        try:
            await stranger.start()
        except hikari.UnauthorizedError:
            return True
        finally:
            if stranger.is_alive: await stranger.close()

    def _rest(self):
        return _Rest(self.api, self.token)


class _Rest:
    """REST alone, without a gateway."""

    def __init__(self, api, token):
        self.app = hikari.RESTApp(url=api)
        self.token = token

    async def __aenter__(self):
        await self.app.start()
        self.client = self.app.acquire(self.token, hikari.TokenType.BOT)
        self.client.start()
        return self.client

    async def __aexit__(self, *_):
        await self.client.close()
        await self.app.close()


def said(message):
    reference = message.message_reference
    return Said(
        int(message.id), int(message.channel_id), int(message.author.id), message.content or "",
        int(reference.id) if reference and reference.id else None,
        {str(reaction.emoji): reaction.count for reaction in message.reactions},
        [attachment.size for attachment in message.attachments])
