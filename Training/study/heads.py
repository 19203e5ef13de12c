"""What the heads of the bundled model add: other views, made kinds; the classes stay what they were.

``python -m study.heads LEFT_OUT … --bundled KEPT_BACK … --metrics FOLDER`` takes what ``study.leave_source_out
measure`` wrote of networks that a source was kept from (with heads of their own), and of the bundled model
with heads that one real subject and one family of made views were kept from. It writes ``rejection``, ``kinds`` and
``decisions``, and puts the new weights into the final rule of ``calibration``; ``study.slice_orders`` counts orders.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from CMROrientLib.recognition.decision import DecisionRule, confidence, weigh
from CMROrientLib.recognition.typed_json import read_object, write_object
from CMROrientLib.training.evaluation.decisions import decisions
from CMROrientLib.training.evaluation.out_of_distribution import fit_out_of_distribution, out_of_distribution_of
from CMROrientLib.training.evaluation.predictions import slice_log_probabilities

from .decision_fit import others_terms, real_terms, with_slice_order
from .json_files import write_json
from .left_out import Calibration, RejectionMetrics, kinds, rejection_metrics, views_rejected
from .measured import Measured, load
from .other_pictures.other_views import KEPT_BACK

#: From which probability an image is taken for none; for one slice the limit is lower, and it is then uncertain.
MOST = 0.65
#: Share of the views that were kept back which the limit for one slice leaves alone.
LEFT_ALONE = 0.985


def refitted(measured: Sequence[Measured], rule: DecisionRule, without: Sequence[str] = ()) -> DecisionRule:
    """A rule with the weights of the heads fitted anew; its confidence stays.

    Parameters
    ----------
    without:
        Families of views and pictures that are left out of the fit.
    """
    families = np.concatenate([shown.families[~shown.blank] for one in measured for shown in (one.others, one.views)])
    kept = np.array([str(name).removeprefix(KEPT_BACK) not in without for name in families], bool)
    others = others_terms(measured, rule).where(kept)
    rule = with_slice_order(measured, fit_out_of_distribution(real_terms(measured, rule), others, rule))
    rule = replace(rule, max_not_short_axis=MOST)
    return _with_limit_alone(measured, rule, without)


def _with_limit_alone(measured: Sequence[Measured], rule: DecisionRule, without: Sequence[str]) -> DecisionRule:
    """The rule with the highest limit for one slice at which enough views that were kept back are left alone."""
    rows = [
        (other, confidence(weigh(copies[None]), rule))
        for one in measured
        for name in sorted(set(map(str, one.views.families)))
        if name.startswith(KEPT_BACK) and name.removeprefix(KEPT_BACK) not in without
        for other, copies in zip(
            out_of_distribution_of(one.views.of(name).logits[:, None], rule),
            slice_log_probabilities(one.views.of(name).logits, rule.temperature),
            strict=True,
        )
    ]
    if not rows:
        return rule
    others, sure = (np.array(column) for column in zip(*rows, strict=True))
    for hundredths in range(round(100 * rule.max_not_short_axis), 0, -1):
        limit = hundredths / 100
        if np.mean((others <= limit) & (sure >= rule.min_confidence)) <= 1 - LEFT_ALONE:
            return replace(rule, max_not_short_axis_alone=limit)
    return replace(rule, max_not_short_axis_alone=0.0)


def judged(
    measured: Sequence[Measured], bundled: Sequence[Measured], rules: Mapping[str, DecisionRule]
) -> RejectionMetrics:
    """Pictures and real volumes of left-out sources, and views of the bundled model with heads that did not see them.

    Parameters
    ----------
    rules:
        For each source the one that was fitted on the others.
    """
    found = rejection_metrics(measured, rules)
    final = next(iter(rules.values()))
    rows = [views_rejected(one, refitted(measured, final, [*one.kept.families, *_real_kept(one)])) for one in bundled]
    return replace(found, views=RejectionMetrics.views_of(rows))


def _real_kept(one: Measured) -> list[str]:
    names = {str(name) for name in one.views.families}
    return [name.removeprefix(KEPT_BACK) for name in names if name.startswith(f"{KEPT_BACK}real")]


def assemble(measured: Sequence[Measured], bundled: Sequence[Measured], metrics: Path) -> DecisionRule:
    """Write what the heads do to ``metrics``; the final rule."""
    calibration = metrics / "calibration.json"
    stored = read_object(Calibration, json.loads(calibration.read_text(encoding="utf-8")), calibration.name)
    rules = {
        one.name: refitted([other for other in measured if other is not one], stored.rules[one.name])
        for one in measured
    }
    final = refitted([*measured, *bundled], stored.final)
    write_json(metrics / "rejection.json", write_object(judged(measured, bundled, rules)))
    shown = kinds(measured, rules)
    write_json(
        metrics / "kinds.json",
        {kind: {group: write_object(row) for group, row in groups.items()} for kind, groups in shown.items()},
    )
    found = {one.name: decisions(one.predictions, rules[one.name]).to_json() for one in measured}
    write_json(metrics / "decisions.json", found)
    write_json(calibration, write_object(replace(stored, final=final)))
    return final


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.heads", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="what was measured of networks without a source")
    parser.add_argument("--bundled", type=Path, action="append", default=[], help="and of the bundled model's heads")
    parser.add_argument("--metrics", type=Path, required=True, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    measured, bundled = ([load(folder) for folder in some] for some in (arguments.folders, arguments.bundled))
    print(json.dumps(assemble(measured, bundled, arguments.metrics).to_card(), indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
