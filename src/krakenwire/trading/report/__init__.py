"""What a run of a bot comes to: figures, round trips, series to draw, and the comparison of two runs. Draws nothing.

Start reading at `run`, then `figures` and `drift`. Statistics are floats;
money is `Decimal` throughout.
"""
