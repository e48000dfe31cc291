"""Parts that the OpenAPI description is made of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def ref(kind: str, name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schema(name: str) -> Json:
    """A reference to a schema."""
    return ref("schemas", name)


def parameters(*names: str) -> list[Json]:
    """References to parameters."""
    return [ref("parameters", name) for name in names]


def json_answer(content: Json, description: str) -> Json:
    """An answer that is a JSON document."""
    return {"description": description, "content": {"application/json": {"schema": content}}}


def bytes_answer(description: str) -> Json:
    """An answer that is bytes."""
    return {"description": description, "content": {"application/octet-stream": {}}}


def responses(success: Json, *problems: int) -> Json:
    """The answers of an operation: success, and the statuses with which it may fail."""
    return {"200": success, **{str(status): ref("responses", f"Problem{status}") for status in problems}}


def operation(summary: str, identifier: str, names: tuple[str, ...], answers: Json, body: Any = None) -> Json:
    """An operation; its parameters are named, its body given by media type."""
    described: Json = {"operationId": identifier, "summary": summary, "responses": answers}
    if names:
        described["parameters"] = parameters(*names)
    if body is not None:
        described["requestBody"] = {"required": True, "content": body}
    return described
