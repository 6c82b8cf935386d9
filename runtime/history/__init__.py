"""History: what each turn of a world was given, and what each step began on.

`turn_log`, `steps` and `step_index` are the forms in which it lies in the store; `recorder` writes it, with the turn
that it is of in one commit; `retention` deletes its old end; `reader` reads it, from a live world or a copy.
"""
