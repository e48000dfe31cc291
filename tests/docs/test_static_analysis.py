"""The answers to static analysis: read from the page, and compared with what is found."""

from __future__ import annotations

from scripts.static_analysis import SECURITY, answers_in, differences, findings

TABLE = """
## Static analysis

| detector | where | answer |
| --- | --- | --- |
| `timestamp` | anywhere | by the clock |
| `unused-return` | `Vault.pay`, `Vault.take` | not needed |

## Other things

| `no-detector` | anywhere | not of this section |
"""


def test_answers__of_the_page__have_places() -> None:
    answers = answers_in(SECURITY.read_text())
    assert {"timestamp", "reentrancy-no-eth", "arbitrary-send-erc20"} <= answers.keys()
    assert answers["arbitrary-send-erc20"] == {"TokenVault.collect"}


def test_answers__of_a_table__only_of_its_section() -> None:
    assert answers_in(TABLE) == {"timestamp": {"anywhere"}, "unused-return": {"Vault.pay", "Vault.take"}}


def test_findings__of_a_function_and_of_its_variable__name_contract_and_function() -> None:
    function = {"type": "function", "name": "pay", "type_specific_fields": {"parent": {"name": "Vault"}}}
    variable = {"type": "variable", "name": "due", "type_specific_fields": {"parent": function}}
    variable["type_specific_fields"] = {"parent": function | {"type": "function"}}
    detectors = [{"check": "a", "elements": [function]}, {"check": "b", "elements": [variable]}]
    assert findings(detectors) == {("a", "Vault.pay"), ("b", "Vault.pay")}


def test_differences__all_answered__none() -> None:
    found = {("timestamp", "Vault.pay"), ("unused-return", "Vault.pay"), ("unused-return", "Vault.take")}
    assert differences(found, answers_in(TABLE)) == []


def test_differences__finding_without_answer_and_answer_without_finding__said() -> None:
    found = {("unused-return", "Vault.pay"), ("unused-return", "Vault.drop")}
    assert differences(found, answers_in(TABLE)) == [
        "unused-return in Vault.drop: not answered in security.md",
        "timestamp: answered in security.md, but not found any more",
        "unused-return in Vault.take: answered in security.md, but not found any more",
    ]
