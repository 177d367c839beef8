"""The Lead Submission Observability Lab: every attempt to submit a lead, accepted or refused, kept and explained.

The way of one submission: a channel (`simulator`, `importer`, later `api`) makes an Arrival (`attempt`) and
hands it to the gate (`gate`), which decides in stages whether it may become a lead. Accepted or refused, it
becomes an Attempt and is appended to the log (`eventlog`): first a journal row in the database (`database`),
soon a row of an immutable Parquet segment. One view of the log gives every reader each row once; day by day,
SQL over that view gives the figures (`metrics`), figures become numbered facts and facts a report in words
(`report`), and the pages (`ui`, `pages/`) show them. Long work runs as jobs (`jobs`) whose state lives in the
database. `opening` assembles one Lab from all of these; nothing else reaches for a global.
"""
