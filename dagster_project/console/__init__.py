"""The command line's parts: what each command does and how a person or a program is told.

Belongs here: parsing, progress, screens. Does not: any step of the work itself (``core``), nor
its order (``defs``).
"""
