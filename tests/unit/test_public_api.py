"""The list of public names: a change here is a decision."""

import deathless

NAMES = """
Activity ActivityCall ActivityContext ActivityDone ActivityFailed ArgumentsError AskFailed AuditEvent Beat Call CallFailed
Cancelled Census Change Child ChildCancelled ChildDone ChildError ChildFailed ClockMismatchError CompileError Context
DeathlessError DefinitionError Distribution Elapsed Every FrameView GameClock Handle HistoryEntry HistoryError InputIdError
LimitError Limits Metrics
NotARoutineError NotAWorldError NotFinishedError PumpReport RecoveryReport Reducer ReducerContext Retention Retry Running
Runtime RuntimeClosedError Signal SignalNotAccepted SqlError SqlResult Status Table TableError Timer TimerView UnknownReducerError
UnknownSignalError UnknownWorkflowError UnknownWorkflowTypeError UnstorableError WallClock WorkflowExistsError
WorkflowHead WorkflowMisuseError WorkflowType WorkflowView WorldCorruptError WorldError WorldFull WorldInUse
WorldVersionError WrongThreadError __version__ activity reducer routine workflow
""".split()


def test_the_public_names_are_these():
    assert sorted(deathless.__all__) == sorted(NAMES)
    for name in NAMES:
        assert hasattr(deathless, name)


def test_every_error_is_in_one_tree():
    for name in NAMES:
        value = getattr(deathless, name)
        if isinstance(value, type) and issubclass(value, BaseException):
            assert issubclass(value, deathless.DeathlessError) or value is deathless.Cancelled


def test_every_public_class_and_function_has_a_docstring():
    for name in NAMES:
        value = getattr(deathless, name)
        if isinstance(value, type):
            assert value.__doc__, name
            for attribute, member in vars(value).items():
                if not attribute.startswith("_") and callable(member) and not isinstance(member, type):
                    assert member.__doc__, f"{name}.{attribute}"
