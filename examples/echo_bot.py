"""An unmodified discord.py bot on Flux: it repeats what begins with "echo ".

    python examples/echo_bot.py http://127.0.0.1:8080            makes an account, a server and a bot, then runs it
    FLUX_BOT_TOKEN=… python examples/echo_bot.py http://…        runs a bot that is there already
"""
import json, os, secrets, sys, urllib.request
import discord, yarl

url = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080").rstrip("/")
discord.http.Route.BASE = url + "/api/v10"  # the three lines that point the library at a Flux server
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url.replace("http", "ws", 1)).with_path("/")
discord.asset.Asset.BASE = url


def post(path, body, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    with urllib.request.urlopen(urllib.request.Request(discord.http.Route.BASE + path, json.dumps(body).encode(), headers)) as answer:
        return json.loads(answer.read() or "null")


def make_bot():
    name, password = "echo_" + secrets.token_hex(3), secrets.token_urlsafe(12)
    person = post("/auth/register", {"username": name, "password": password, "return_token": True})["token"]
    bot = post("/applications", {"name": "Echo"}, person)
    guild = post("/guilds", {"name": "Echo's home"}, person)
    post(f"/oauth2/authorize?client_id={bot['id']}&scope=bot", {"guild_id": guild["id"], "permissions": "0", "authorize": True}, person)
    print(f"Sign in as {name} with {password} and write 'echo hello' in the server's channel.")
    return post(f"/applications/{bot['id']}/bot", {}, person)["token"]


client = discord.Client(intents=discord.Intents.all())


@client.event
async def on_message(message):
    if message.author != client.user and message.content.startswith("echo "):
        await message.reply(message.content[5:])


client.run(os.environ.get("FLUX_BOT_TOKEN") or make_bot())
