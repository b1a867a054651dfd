"""Limits of the desk: passwords and browsers, and how many rows its pages show and search. A part of `limits`, and
written by its rules.
"""

from datetime import timedelta

WRONG_PASSWORDS_SECONDS = 900
"""In which wrong passwords count together."""

WRONG_PASSWORDS_OF_A_NETWORK = 10
WRONG_PASSWORDS_OF_A_LOGIN = 30
"""From browsers it was never used with."""

KNOWN_BROWSER_SECONDS = 180 * 24 * 3600
SEEN_EVERY_SECONDS = 60  # between noting that somebody is at work

PROPOSAL_LIVES = timedelta(days=3)  # for a second person's yes
ASKED_NOW = 5  # rows of a case that are asked about by one click

SUGGESTED_REQUESTS, SUGGESTED_WITHIN = 5, timedelta(days=3)  # of an orphan: before it
RELATED_ORDERS_SHOWN = 10
DELIVERIES_SHOWN = 50
WORK_SHOWN = 25
RAW_CHARACTERS = 120
EVENTS_AT_ONCE = timedelta(seconds=0.1)  # so near to each other they stand in the order of what they say
PLOT_HEIGHT, PLOT_BARS = 120, 8

ROWS_COUNTED = 5_000  # a longer list says "more than"
HITS_SHOWN = 50
SEARCH_ROWS = 200
SEARCHED_FIRST = 50_000  # the newest rows, which a search reads for words anywhere in them
SEARCHED_CHARACTERS, SEARCHED_WORDS = 200, 5
SAFETY_WORDS_SEARCHED = 5_000
SUM_SEARCHED_FOR = timedelta(days=30)
