"""Workflows of which the tests of census, health and metrics make worlds to watch."""

from deathless import Context, Signal, workflow


class Poke(Signal):
    pass


@workflow
async def sleeper(ctx: Context, seconds: float) -> int:
    await ctx.sleep(seconds)
    return 1


@workflow
async def listener(ctx: Context) -> None:
    await ctx.receive(Poke)


@workflow
async def bad(ctx: Context) -> None:
    raise ValueError("bad")


@workflow
async def parent(ctx: Context) -> None:
    await ctx.spawn(listener())
