"""`deathless loadtest`: a world of thousands of workflows under load, measured, killed, and checked from outside.

From the scenario to the verdict:

    scenario_file   TOML and flags -> Scenario, with errors that name key and line
    plan            Scenario -> the inputs, by seed and time alone
    driver          sends them to a world, kills it, notes what is acknowledged
    repeats         what it sends again after a kill
    local_world     that world in this process; world_client and world_process, in one of its own
    game_loop       what runs there: frames over a Runtime, as a game has them
    ledger          what was sent and acknowledged, in a file that no kill of the world touches
    findings        what stands in the world at the end
    verification    the world against the ledger
    measures        what it took; report, summary and page show it
"""
