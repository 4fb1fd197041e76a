"""How `benchmarks.read` says its figures: owns the text for people and the Markdown for documents."""

from __future__ import annotations

from typing import Any

TABLE_COLOURS = ("blue", "yellow", "green", "white", "black")


def for_people(report: dict[str, Any]) -> str:
    """A few lines a set."""
    lines = [f"{report['pictures']} pictures, our weights {report['models']['total'] / 1e6:.1f} MB"]
    for name, found in report["sets"].items():
        lines.append(f"{name}: {found['pictures']} pictures")
        lines.append(_line("ours", found["ours"]))
        lines += [_line(peer, theirs) for peer, theirs in found["peers"].items()]
        lines.append(_gate_line(found["ours"]))
    lines += [f"{peer['name']}: {peer['why_not']}" for peer in report["peers"] if not peer["runs"]]
    if report["ratio_ms"] is not None:
        lines.append(
            f"ours / {report['ratio_peer']}: {report['ratio_ms']:.2f} of the time "
            f"(goal: at most {report['ratio_ms_goal']}), {report['ratio_cpu_ms']:.2f} of the CPU"
        )
    return "\n".join(lines + ([f"page: {report['page']}"] if "page" in report else []))


def _line(who: str, tally: dict[str, Any]) -> str:
    times = f"{tally['ms_median']:8.1f} ms  {tally['cpu_ms_median']:8.1f} ms CPU"
    colours = "  ".join(f"{colour} {share}" for colour, share in tally["by_colour"].items())
    return f"  {who:28} {times}  {tally['right']:4}/{tally['of']} right   {colours}"


def _gate_line(ours: dict[str, Any]) -> str:
    counts = ", ".join(f"{answer} {count}" for answer, count in ours["gate"].items())
    wrong = f"false pass {ours['false_pass']['count']}/{ours['false_pass']['of']}"
    refused = f"false refusal {ours['false_refusal']['count']}/{ours['false_refusal']['of']}"
    return f"  the gate, from one picture: {counts}; {wrong}, {refused}"


def table(report: dict[str, Any]) -> str:
    """One Markdown table a set, and one of the gate's answers."""
    sizes = {peer["name"]: peer["model_bytes"] for peer in report["peers"] if peer["runs"]}
    parts = []
    for name, found in report["sets"].items():
        rows = [_markdown("this product", found["ours"], report["models"]["total"])]
        rows += [_markdown(peer, theirs, sizes[peer]) for peer, theirs in found["peers"].items()]
        head = (
            f"| {name}, {found['pictures']} | right | 95 % | {' | '.join(TABLE_COLOURS)} | ms | CPU ms | ratio | MB |"
        )
        parts.append("\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows]))
    head = "| set | opened | refused | special | a person | false pass | false refusal | ground right, unknown, wrong |"
    rows = [_gate_markdown(name, found["ours"]) for name, found in report["sets"].items()]
    parts.append("\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows]))
    return "\n\n".join(parts)


def _markdown(who: str, tally: dict[str, Any], size: int) -> str:
    low, high = tally["interval"]
    colours = [tally["by_colour"].get(colour, "") for colour in TABLE_COLOURS]
    times = [f"{tally['ms_median']:.0f}", f"{tally['cpu_ms_median']:.0f}"]
    ratio = tally.get("ratio_ms")
    share = [f"{tally['right']}/{tally['of']}", f"{100 * low:.1f} to {100 * high:.1f}"]
    ratios = ["" if ratio is None else f"{ratio:.2f}", f"{size / 1e6:.1f}"]
    return f"| {' | '.join([who, *share, *colours, *times, *ratios])} |"


def _gate_markdown(name: str, ours: dict[str, Any]) -> str:
    gate, colour = ours["gate"], ours["colour"]
    errors = [f"{ours[error]['count']}/{ours[error]['of']}" for error in ("false_pass", "false_refusal")]
    answers = [str(gate[answer]) for answer in ("open", "refuse", "special", "person")]
    grounds = f"{colour['right']}, {colour['unknown']}, {colour['wrong']}"
    return f"| {' | '.join([name, *answers, *errors, grounds])} |"
