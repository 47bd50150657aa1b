"""Who has been erased, and whose a record is: what the loader must know before it writes a row.

Belongs here: the register of erasures, the roles of token domains, taking a person out of records.
Does not: an erasure itself, its originals and certificate (``erasure``).
"""
