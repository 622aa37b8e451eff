"""What all sections of the configuration have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """Unknown keys are errors, nothing changes afterwards, no number is infinite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def _no_truth(value: object) -> object:
    if not isinstance(value, bool):
        return value
    raise ValueError("true and false are no numbers")


Number = Annotated[float, BeforeValidator(_no_truth)]
"""A finite number."""
