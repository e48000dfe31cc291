"""The shape of a contract's refusal in Python: a class a custom error, filled from the ABI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from walrus_chain.chain.values import converter, fields_of, render
from walrus_chain.errors import Rejected


class ContractRejection(Rejected):
    """A contract refused a call with a custom error.

    A subclass names the error, declares its parameters as annotated fields in the order of the Solidity error, and says
    in `text` what happened, why, and what to do next.
    """

    solidity_name: ClassVar[str]
    text: ClassVar[str]

    def __init__(self, *evidence: Any) -> None:
        """
        Args:
            evidence: the error's parameters in order, as the ABI decodes them or already as the fields' types.
        """
        words: dict[str, str] = {}
        for (name, annotation), value in zip(evidence_of(type(self)).items(), evidence, strict=True):
            converted = converter(annotation)(value)
            setattr(self, name, converted)
            words[name] = render(converted, annotation)
        super().__init__(self._compose(words))
        self.evidence = dict(words)

    def _compose(self, words: dict[str, str]) -> str:
        return self.text.format_map(words)

    def __reduce__(self) -> tuple[type[ContractRejection], tuple[Any, ...]]:
        return type(self), tuple(getattr(self, name) for name in evidence_of(type(self)))


def evidence_of(rejection: type[ContractRejection]) -> dict[str, Any]:
    """The annotated evidence of a rejection, in the order of the Solidity error's parameters."""
    return fields_of(rejection)


def names_of(rejections: Sequence[type[ContractRejection]]) -> dict[str, type[ContractRejection]]:
    """Rejections by the name of their Solidity error."""
    return {rejection.solidity_name: rejection for rejection in rejections}
