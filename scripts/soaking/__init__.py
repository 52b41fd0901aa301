"""What a soak is made of: a database of its own, readers, a writer, an outage, and a verdict."""

#: Changed together, each time to one generation: the number that all of them then serve.
FLAGS = [f"soak_{number}" for number in range(20)]
