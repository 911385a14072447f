"""A log with everything in it, for whoever writes one."""

from typing import Any

from dreamer_core.gates import Verdict
from server.log.columns import column
from server.log.out import Annotation, Change, Changed, LoggedGroup, LoggedRun, LoggedVerdict, LogOut, Said
from server.runs.out import ExperimentRef
from server.tables import RunKind, RunState

AT = "2026-01-20T10:15:02.345+00:00"
KEY, LOSS = "eval/mean_return", "Loss/world_model_loss"


def a_logged_run(seed: int | None, **fields: Any) -> LoggedRun:
    given: dict[str, Any] = {
        "id": f"run{seed}",
        "seed": seed,
        "state": RunState.SUCCEEDED,
        "error": None,
        "counts": True,
        "env_steps": 25_000,
        "train_steps": 12_100,
        "created_at": AT,
        "values": {},
    }
    return LoggedRun(**(given | fields))


def a_group(**fields: Any) -> LoggedGroup:
    given: dict[str, Any] = {
        "seed_group": "b6d81b360a56",
        "name": "d_hidden 64",
        "kind": RunKind.TRAIN,
        "preset": "cartpole",
        "env": "CartPole-v1",
        "began_at": AT,
        "changed": Changed(against="preset", run_id=None, preset="cartpole", commit=None, changes=[], left_out=0),
        "hypothesis": [],
        "primary_metric": None,
        "stop_rule": [],
        "columns": [],
        "runs": [a_logged_run(0)],
        "verdicts": [],
        "conclusion": [],
        "notes": [],
        "annotations": [],
    }
    return LoggedGroup(**(given | fields))


def a_log(*groups: LoggedGroup, **fields: Any) -> LogOut:
    given: dict[str, Any] = {
        "experiment": ExperimentRef(id="q4wz7kd2m9xc", name="collapse"),
        "question": "Why does CartPole collapse after it is solved?",
        "created_at": AT,
        "groups": list(groups),
        "left_out": 0,
    }
    return LogOut(**(given | fields))


def the_whole_log() -> LogOut:
    """After what a person wrote by hand: two groups, the second of which is judged."""
    detached = a_group(
        name="lambda_returns.detach()",
        hypothesis=[Said(text="detach the critic's targets → no value drift, no collapse", seeds=None)],
        primary_metric=KEY,
        stop_rule=[Said(text="25,000 steps", seeds=None)],
        columns=[column(KEY, [157.0], is_primary=True)],
        runs=[a_logged_run(0, values={KEY: 157.0})],
        conclusion=[Said(text="It did not prevent the collapse.\nThe actor's loss rises first.", seeds=None)],
    )
    finals, losses = [453.0, 500.0, 486.0, 500.0], [1.6, 1.5, float("nan"), 1.7]
    larger = a_group(
        seed_group="0f1e2d3c4b5a",
        name="d_hidden 256",
        changed=Changed(
            against="parent",
            run_id="run0",
            preset="cartpole",
            commit="1a2b3c4d5e with changes",
            changes=[
                Change(key="world_model.d_hidden", before=64, after=256),
                Change(key="env.wrappers", before=["resize"], after=[]),
                Change(key="note", before=None, after=""),
            ],
            left_out=2,
        ),
        hypothesis=[
            Said(text="d_hidden 64 → 256 → stable", seeds=[0, 1]),
            Said(text="four seeds say so too", seeds=[2, 3]),
        ],
        primary_metric=KEY,
        columns=[
            column(KEY, finals, is_primary=True),
            column(LOSS, losses, is_primary=False),
        ],
        runs=[
            *(
                a_logged_run(seed, values={KEY: final, LOSS: "NaN" if loss != loss else loss})
                for seed, (final, loss) in enumerate(zip(finals, losses, strict=True))
            ),
            a_logged_run(3, id="old3", counts=False, state=RunState.FAILED, error="RuntimeError: | out of memory |"),
        ],
        verdicts=[
            LoggedVerdict(
                id="g4t3r3sult00",
                gate="cartpole",
                gate_version=3,
                verdict=Verdict.NO_DATA,
                reason="hold: 2 of 4 runs have no `eval/mean_return`",
                baseline="cartpole@2",
                created_at=AT,
            )
        ],
        notes=[Said(text="- from scratch\n- 30k steps\n\n# not a heading", seeds=None)],
        annotations=[Annotation(run_id="run1", seed=1, env_steps=14_500, at=AT, text="KL *spiked* here")],
    )
    return a_log(detached, larger, left_out=3)
