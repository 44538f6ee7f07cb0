"""What is refused of an ask."""


class DecisionIdTakenError(ValueError):
    """The id stands for another ask."""

    def __init__(self) -> None:
        super().__init__("this decision id stands for another ask already: make a new one for each request")
