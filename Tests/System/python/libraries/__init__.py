"""The same bot in each library: what it can do is the same, and what it hears is told in the same words."""
import asyncio
import dataclasses

from people import PATIENCE


@dataclasses.dataclass
class Said:
    """A message, as far as the scenarios look at it."""
    id: int
    channel: int
    author: int
    text: str
    answers: int | None
    reactions: dict
    sizes: list


class Ears:
    """Keeps everything that was heard, so that a scenario can wait for what may have come already."""

    def __init__(self):
        self.heard = []
        self.news = asyncio.Event()

    def note(self, kind, value=None):
        self.heard.append((kind, value))
        self.news.set()

    async def hear(self, kind, fits=lambda value: True):
        """The first thing of a kind that fits."""
        async def search():
            while True:
                self.news.clear()
                for heard, value in self.heard:
                    if heard == kind and fits(value): return value
                await self.news.wait()
        try:
            return await asyncio.wait_for(search(), PATIENCE)
        except asyncio.TimeoutError:
            kinds = sorted({kind for kind, _ in self.heard})
            raise AssertionError(f"no fitting '{kind}' in {PATIENCE:g} s; heard: {', '.join(kinds)}") from None
