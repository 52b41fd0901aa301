"""What a soak is made of: a database of its own, readers, a writer, and a verdict.

Twenty flags are changed together, each time to one *generation*, a number. Ten of them serve it as
the value of their variant, and ten spell it, a bit each, by being enabled or not: rows of several
tables that belong together, so that whoever mixes two states gets two numbers.
"""

VALUES = [f"value_{number}" for number in range(10)]
BITS = {f"bit_{number}": 1 << number for number in range(10)}
