"""What a simulation cannot do."""


class SimulationError(ValueError):
    """The question cannot be answered from what is kept; the text names the remedy."""
