"""What is measured on features: the geometry of pairs, seen as rapidity, and its statistics over inputs.

Import the modules by name, as in ``from engine.geometry import gram, readings``: ``readings``, ``transitions``
and ``ceiling`` need numpy alone, so that a window may use them, and this file imports nothing for their sake.
"""
