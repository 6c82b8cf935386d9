"""The audit log: what became of each workflow, and who called which reducer, for operators and for SQL.

`step_events` sees what happens; `log` stages it, so that it is committed with the turn that it is of, and lets its old
end go; `events` is the form in which it lies in the store; `reader` reads it, from a live world or a copy.
"""
