"""What a compiled function leaves for the snapshot, and functions of unusual size."""

from compiler_kit import Context, compiled, load, same

from deathless.workflows.compiler import capture_stack, program_of

REBOUND = """
@workflow
async def main(ctx, n):
    def step():
        nonlocal n
        n += 1
        return n
    await ctx.op(step())
    return n
"""


def test_a_parameter_that_a_nested_function_rebinds_in_the_awaited_call_is_kept_as_rebound():
    _, durable = load(REBOUND)
    ctx = Context()
    coroutine = durable["main"](ctx, 1)
    coroutine.send(None)
    ((_, site, values),) = capture_stack(coroutine)
    assert dict(zip(site.variables, values, strict=True)) == {"n": 2}
    # The list left in `ctx.live` was made before the call.
    assert ctx.live is None
    coroutine.close()
    same(REBOUND, arguments=lambda: (1,))


def test_what_is_left_for_the_snapshot_is_what_the_frame_holds():
    source = "@workflow\nasync def main(ctx, n):\n    for i in [n, 8]:\n        await ctx.op(i)\n        ctx.note(n, i)\n"
    _, durable = load(source)
    program = program_of(durable["main"])
    ctx = Context()
    coroutine = durable["main"](ctx, 7)
    for _ in range(2):
        coroutine.send(None)
        ((_, site, values),) = capture_stack(coroutine)
        assert ctx.live == [program.token, site.number, *values]
    coroutine.close()


def test_a_function_may_have_a_thousand_awaits_each_with_locals_of_its_own():
    lines = [f"    x{n} = {n}\n    await ctx.op({n})\n    ctx.note(x{n})\n" for n in range(1000)]
    program = compiled(f"@workflow\nasync def main(ctx):\n{''.join(lines)}")
    assert [site.variables for site in program.sites] == [(f"x{n}",) for n in range(1000)]
