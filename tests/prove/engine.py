"""The proofs of the engine that judge what it does: beside the oracle, outside judges and peers, and in the ways a strategy may be written."""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.outside import CASES
from tests.prove.beside import COMPILED, run_program, run_tests
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop

STREAMS = 3_000
CALM_STREAMS = 1_500
WORLDS = 300
VECTORS = "stop_target_vectors.json"


def streams(form: str, count: int, seed: int | None = None) -> tuple[int, dict[str, Any]]:
    """What came of that many streams from a fresh seed."""
    seed = secrets.randbits(32) if seed is None else seed
    said = run_program("-m", "tests.prove.engine_streams", form, str(seed), str(count), **COMPILED)
    assert said.code == 0, said.err[-2000:]
    return seed, json.loads(said.out.splitlines()[-1])


@proof(
    cap="engine",
    name="oracle",
    line="Random order streams, compiled kernels against a plain oracle written from the specification, invariants after every fill",
    bound="0 differences; every order type, time in force, reason and event met",
)
def oracle(workshop: Workshop, *, count: int = STREAMS) -> Measured:
    seed, found = streams("stepping", count)
    value = f"{found['streams']:,} streams, {found['fills']:,} fills, {found['different']} differences; {found['met']} of {found['to_meet']} met"
    passed = found["compiled"] and found["streams"] == count and found["different"] == 0 and not found["missing"]
    return Measured(value, passed, (f"seed {seed}", *found["differences"], *found["missing"]))


@proof(
    cap="engine",
    name="fast-slow",
    line="Bars inside the envelope left out, against the oracle stepping each of them",
    bound="0 differences, bars really left out",
)
def fast_slow(workshop: Workshop, *, count: int = CALM_STREAMS) -> Measured:
    seed, found = streams("skipping", count)
    value = f"{found['streams']:,} streams, {found['fills']:,} fills, {found['skipped']:,} bars left out, {found['different']} differences"
    passed = found["compiled"] and found["streams"] == count and found["different"] == 0 < found["skipped"] and found["fills"] > 0
    return Measured(value, passed, (f"seed {seed}", *found["differences"]))


@proof(
    cap="engine",
    name="several",
    line="Several instruments in two currencies on one account: arrays, events of both kinds and the oracle, compiled kernels",
    bound="0 differences, and the same numbers uncompiled",
)
def several(workshop: Workshop, *, count: int = WORLDS) -> Measured:
    seed = secrets.randbits(30)
    compiled, plain = (_worlds(seed, count, **options) for options in (COMPILED, {}))
    value = f"{count} worlds, {compiled['fills']:,} fills, {len(compiled['differences'])} differences"
    passed = compiled["compiled"] and not compiled["differences"] and compiled["hash"] == plain["hash"] and compiled["fills"] > count
    return Measured(value, passed, (f"seed {seed}", *compiled["differences"][:10]))


def _worlds(seed: int, count: int, **options: Any) -> dict[str, Any]:
    said = run_program("-m", "tests.unit.backtests.pools", str(seed), str(count), **options)
    assert said.code == 0, said.err[-2000:]
    found: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return found


@proof(cap="engine", name="stop-target", line="The outside judge's stops, targets and trailing stops, profile freqtrade", bound="all cases")
def stop_target(workshop: Workshop) -> Measured:
    wanted = len(json.loads((CASES / VECTORS).read_text())["cases"])
    found = run_tests(workshop.folder("stop target"), "tests/conformance/test_stop_target_vectors.py")
    return Measured(f"{found.value}; {wanted} cases", found.passed and found.value == f"{wanted} of {wanted} passed", found.details)


@proof(
    cap="engine",
    name="indicators",
    line="Every indicator that we offer against the outside judge's columns",
    bound="all agree; what is left out has its reason",
)
def indicators(workshop: Workshop) -> Measured:
    files = sum(1 for _ in (CASES / "indicators").iterdir())
    found = run_tests(workshop.folder("indicators"), "tests/conformance/test_indicator_cases.py")
    return Measured(f"{found.value}, {files} files", found.passed, found.details)


@proof(cap="engine", name="figures", line="Figures of P2 and P3 against empyrical-reloaded and quantstats", bound="all agree")
def figures(workshop: Workshop) -> Measured:
    return run_tests(
        workshop.folder("figures"), "tests/unit/portfolio/test_figures_beside_peers.py", "tests/unit/portfolio/test_tear_sheet.py"
    )


@proof(
    cap="engine",
    name="forms",
    line="The same strategy as arrays, as events and in paper, in one process, with finer bars and orders in parts",
    bound="the same fills to the unit",
)
def forms(workshop: Workshop) -> Measured:
    return run_tests(
        workshop.folder("forms"), "tests/integration/backtests/test_forms_agree.py", "tests/unit/backtests/test_vector_as_events.py"
    )


@proof(
    cap="engine",
    name="plans-oracle",
    line="Exit plans and guards against implementations of their own",
    bound="the same trades",
)
def plans(workshop: Workshop) -> Measured:
    return run_tests(workshop.folder("plans"), "tests/conformance/test_exit_plans.py", "tests/conformance/test_hand_made_vectors.py")


@proof(
    cap="engine",
    name="research",
    line="Deflated Sharpe, overfitting, minimum track record, Monte Carlo, walk-forward, look-ahead and warm-up checks",
    bound="all hold",
)
def research(workshop: Workshop) -> Measured:
    names = (
        "overfitting",
        "cross_validation",
        "trials",
        "monte_carlo",
        "stress",
        "regimes",
        "walk_forward",
        "look_ahead",
        "strategy_check",
    )
    return run_tests(workshop.folder("research"), *(f"tests/unit/backtests/test_{name}.py" for name in names))
