"""What goes wrong at a target, told in a line with its remedy and without any secret."""

from __future__ import annotations


class TargetError(Exception):
    """A release did not reach a target; the live release is as it was."""
