"""The table of verdicts: every rule is met by some finding, all sentences are in both languages, no hole is left."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from signaling.checks.rules import Facts, judge, table, verdict

FINDINGS = json.loads((Path(__file__).parents[1] / "vectors" / "check_findings.json").read_text())


@pytest.mark.parametrize("finding", FINDINGS, ids=[one["rule"] for one in FINDINGS])
def test_a_finding_is_judged_by_the_first_rule_that_holds(finding: dict[str, Any]) -> None:
    assert judge(Facts(**finding["facts"]))["id"] == finding["rule"]


def test_every_rule_is_met_by_a_finding_of_the_list() -> None:
    assert {one["rule"] for one in FINDINGS} == {rule["id"] for rule in table()["rules"]}


def test_every_sentence_is_there_in_both_languages() -> None:
    texts = [*table()["levels"].values(), *table()["steps"].values(), *table()["rules"]]
    for text in texts:
        assert re.search("[\u4e00-\u9fff]", text["zh"])
        assert text["en"] and not re.search("[\u4e00-\u9fff]", text["en"])
        assert sorted(re.findall(r"\{\w+\}", text["zh"])) == sorted(re.findall(r"\{\w+\}", text["en"]))


def test_rules_name_facts_levels_and_steps_that_there_are() -> None:
    facts = Facts().values()
    for rule in table()["rules"]:
        assert rule["level"] in table()["levels"]
        assert set(rule["steps"]) <= set(table()["steps"])
        assert {condition[0] for condition in rule["when"]} <= set(facts)
        # Who reads a bad verdict is told what to do.
        assert rule["steps"] or rule["level"] == "well"


@pytest.mark.parametrize("finding", FINDINGS, ids=[one["rule"] for one in FINDINGS])
def test_the_words_have_no_holes_where_the_numbers_are_known(finding: dict[str, Any]) -> None:
    said = verdict(Facts(**{"up_kbps": 400, **finding["facts"], "media_port": 7882}), "zh")
    assert not re.search(r"[{}?]", " ".join([said.sentence, said.cause, *said.steps]))


def test_udp_that_is_blocked_is_said_with_the_port_to_open() -> None:
    said = verdict(Facts(udp="blocked", tcp="ok", down_kbps=900, height=360, media_port=7882), "en")
    assert said.level == "limited"
    assert "blocks UDP" in said.cause
    assert any("UDP port 7882" in step for step in said.steps)
