"""Where asyncio, sockets, files and clocks live; the only floor that talks to the world."""
