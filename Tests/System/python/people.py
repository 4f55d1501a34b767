"""What the scenarios share: people who use REST alone, and a way to restart Postgres under them."""
import asyncio
import os
import secrets
import signal

PATIENCE = 15.0
"""Seconds after which something that should have happened counts as not happening."""


class Refused(Exception):
    """An answer other than 2xx."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


class Person:
    """A signed-in person who uses REST alone."""

    def __init__(self, http, api, name):
        self.http, self.api, self.name = http, api, name
        self.token = self.id = None

    async def call(self, method, path, body=None):
        headers = {"Authorization": self.token} if self.token else {}
        while True:
            async with self.http.request(method, self.api + path, json=body, headers=headers) as answer:
                value = await answer.json() if answer.content_type == "application/json" else None
                if answer.status == 429:
                    await asyncio.sleep(value["retry_after"])
                elif answer.status >= 300:
                    raise Refused(answer.status, value)
                else:
                    return value

    async def register(self):
        session = await self.call("POST", "/auth/register", {
            "username": self.name, "password": secrets.token_urlsafe(12), "return_token": True})
        self.token, self.id = session["token"], int(session["user"]["id"])
        return self

    async def send(self, channel, text, **more):
        return await self.call("POST", f"/channels/{channel}/messages", {"content": text, **more})

    async def make_bot(self, guild, name, permissions=1 << 3):
        """A bot in a guild of this person, with all rights unless others are given; its token."""
        application = await self.call("POST", "/applications", {"name": name})
        token = (await self.call("POST", f"/applications/{application['id']}/bot", {}))["token"]
        await self.call("POST", f"/oauth2/authorize?client_id={application['id']}&scope=bot", {
            "guild_id": guild, "permissions": str(permissions), "authorize": True})
        return token


class Disturbance:
    """Restarts a node's private Postgres at a random moment of each scenario: killed and shut down in turn.

    Without a directory it does nothing.
    """

    def __init__(self, directory):
        self.file = directory and os.path.join(directory, "postmaster.pid")
        self.signals = [signal.SIGKILL, signal.SIGINT]
        self.count = 0

    def _state(self):
        """The server's process, and whether it accepts connections."""
        try:
            with open(self.file) as file:
                lines = file.read().split("\n")
            return int(lines[0]), lines[7].strip() == "ready"
        except (OSError, IndexError, ValueError):
            return None, False

    async def _ready(self, other_than=None):
        while True:
            process, ready = self._state()
            if ready and process != other_than:
                return process
            await asyncio.sleep(0.02)

    async def _strike(self):
        await asyncio.sleep(secrets.randbelow(300) / 1000)
        process = await self._ready()
        os.kill(process, self.signals[self.count % 2])
        self.count += 1
        return process

    async def during(self, work):
        """Runs a coroutine, with one restart that begins beside it and is over when this returns."""
        if not self.file:
            return await work
        strike = asyncio.ensure_future(self._strike())
        try:
            return await work
        finally:
            await asyncio.wait_for(self._ready(other_than=await strike), 2 * PATIENCE)
