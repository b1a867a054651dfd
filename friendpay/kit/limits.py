"""Every limit and duration: what a client may take, how long is waited, when we give up, what is kept how long.

A name carries its unit (`_SECONDS`, `_BYTES`, `_ROWS`) unless it is a timedelta or plainly a count. What an operator
may change is in `settings.py`; what a wallet's company has laid down stands in that wallet's folder.
"""

from datetime import timedelta

# Orders and requests

LIFE_SHORTEST, LIFE_LONGEST = timedelta(minutes=1), timedelta(days=30)
"""How long an order or a request may live (`expires_in`)."""

MAX_MINOR = 10**12
"""No single amount is larger: it keeps sums far inside a 64-bit column and a typing error out of a wallet."""

METADATA_KEYS, METADATA_KEY_CHARACTERS, METADATA_VALUE_CHARACTERS = 50, 40, 500
LINES_OF_AN_ORDER, ADJUSTMENTS_OF_AN_ORDER = 100, 50

PAYERS_OF_A_REQUEST = 50
DECLINES_OF_A_NETWORK, DECLINES_OF_A_REQUEST, DECLINES_SECONDS = 3, 20, 3600
REPORTS_OF_A_NETWORK, REPORTS_WITHIN = 5, timedelta(hours=1)  # enough for a family, too little for a flood

# The request log of an API key

API_CALLS_KEPT, API_CALLS_KEPT_FOR = 1000, timedelta(days=30)
API_CALLS_WAITING, API_CALLS_BATCH_ROWS, API_CALLS_GATHERED_SECONDS = 2000, 500, 0.25
"""So many wait in a process to be written at most; what comes then is left out."""

API_CALL_READ_BYTES, API_CALL_KEPT_CHARACTERS, API_CALL_TEXT_CHARACTERS = 16 * 1024, 2000, 64

# Paying

TRIES_OF_A_VISITOR, TRIES_OF_A_NETWORK, TRIES_WITHIN = 5, 15, timedelta(hours=1)
FRUITLESS_TRIES, FRUITLESS_WITHIN = 2, timedelta(hours=1)
RESUME_MARGIN = timedelta(seconds=30)  # an attempt with less time left than this is not gone on with
MORE_TIME, MORE_TIMES, MORE_TIME_WITHIN = timedelta(minutes=5), 10, timedelta(minutes=2)
"""How much a payer gets by one tap, how often (WCAG 2.2.1 asks for ten times), and how near to her end she may tap."""

ATTEMPT_STARTS_WITHIN = timedelta(seconds=20)
"""No wallet is waited for that long: an attempt that has not started by then was left by a process that died."""

FIRST_QUESTION_AFTER = timedelta(seconds=15)
HOLD_PATIENCE = timedelta(minutes=2)
"""How long past its end a hold is kept while its provider cannot say whether it was paid: money counts first."""

NEVER_HEARD_OF_AFTER = timedelta(hours=3)
"""A provider that has not heard of an attempt by now will not: the longest a code stays payable is two hours."""

CHOICE_SECONDS = 5 * 60  # how long a payer's choice is kept over a login; a wallet's code lives no longer either
CHOOSES_FOR = timedelta(minutes=3)  # how long somebody who did something on the page is taken to be choosing
ENDS_SOON = timedelta(hours=1)  # then a page counts the seconds; before, it says when
PAYMENT_IS_WORK_AFTER, PAYMENT_IS_WORK_TRIES = timedelta(hours=1), 4
"""Undecided for longer, or after so many questions that failed, it is shown to support."""

REFUND_IS_WORK_AFTER = timedelta(hours=3)
REFUND_AGAIN_AFTER = timedelta(days=1)  # one that a wallet leaves to the shop, or gave back by itself
DISPUTE_FIRST_QUESTION_AFTER, DISPUTE_AGAIN_AFTER = timedelta(hours=1), timedelta(days=1)
"""Banks take weeks to decide, and the wallet tells of it; it is asked since it may give up telling."""

PAYMENT_REFERENCE_CHARACTERS = 64  # what a payment's reference holds: the longest a wallet takes back in a refund
REFUND_REFERENCE_CHARACTERS = 64
METHOD_CHARACTERS = 20  # of the name of a way to pay
LABEL_CHARACTERS = 60  # of the name that a shop gives its own gateway
REFUND_REASON_BYTES = 80  # at WeChat Pay, which takes fewest

# Calls to wallets

WALLET_CONNECT_SECONDS, WALLET_SECONDS = 2.0, 8.0  # the latter for one exchange, connecting included
WALLET_ANSWER_BYTES = 1 << 20
CALL_SECONDS = 12.0
"""For one question or order, however many exchanges it takes: shorter than the shortest lease (20 s)."""

CALL_HANGS = 3
CALL_PAUSES = tuple(timedelta(seconds=s) for s in (10, 20, 40, 60))
CALL_PROBE_LEASE = timedelta(seconds=20)
"""So many calls in a row without an answer pause an account; then one call at a time tries it, ever less often."""

CALLS_TO_ACCOUNT = 4
CALLS_TO_GATEWAY = 8
CALL_SLOW_SECONDS = 2.0
"""Of the sweeps' calls in one process, so many are under way to one account and to one gateway at most, and none is
added to an account while one takes longer than CALL_SLOW_SECONDS: half of the threads are always free for others.
"""

HEAD_START = timedelta(seconds=5)  # a process has what it just stored for itself; then a sweep takes it
NOTIFICATION_THREADS = 4  # of a process, that apply what it was told
NOTIFICATION_TRIES = 8
"""After so many failures a notification is set aside for support; the sweep of payments goes on asking the provider."""

NOTIFICATION_REFERENCE_CHARACTERS = 200  # more than any wallet takes; ours have 26 symbols
RECEIPT_ASKS_SECONDS, RECEIPT_ASKS_AN_HOUR, HOUR_SECONDS = 2, 40, 3600
"""Between two questions to a wallet about one payment, however often its payer looks."""

CREDENTIALS_WARNED_BEFORE = timedelta(days=30)

# Wallets' bills

BILL_SECONDS = 90.0  # for a whole bill: where it lies, and the file
BILL_FILE_SECONDS, BILL_FILE_BYTES = 60.0, 64 << 20
BILL_LINES_AT_ONCE, EXPORT_ROWS_AT_ONCE, EXPORT_DAYS = 500, 2_000, 366
CALENDARS_APART = timedelta(days=2)  # at most: no day begins earlier or later than UTC's by more
BILL_DELAYS = tuple(timedelta(hours=h) for h in (0.5, 0.5, 1, 1, 2, 2, 4, 4, 6, 12, 24))
"""After so many tries the next one is due. Wallets have a day's bill ready by noon of the next."""

BILL_MISSED_AFTER = timedelta(days=2)  # how long after its day a bill that cannot be had becomes work for support
BILL_DAYS_CAUGHT_UP = 31  # how many days are caught up on after a pause
NO_BILL_IS_EMPTY_AFTER = timedelta(hours=14)
"""How long after a day's end "no bill" means an empty day. Before, it may mean that the bill is not made yet."""

BILL_EDGE = timedelta(hours=1)
"""So near to midnight a row may stand on the bill of the next day: clocks differ, and so does what counts as done."""

BILL_LOOK_BACK = timedelta(days=7)  # how long a row of ours is missed on the bills
REFUNDS_REACH = timedelta(days=366)  # how long after a payment a wallet takes refunds of it, by our hands or by others
# Background work

RETRY_DELAYS = tuple(timedelta(seconds=s) for s in (20, 20, 30, 60, 120, 300, 600, 1800, 3600))
"""After so many tries of a row: seconds at first, an hour in the end, for ever."""

SCHEDULER_SECONDS = 1.0  # after which what is due is asked for at the latest
SCHEDULER_CONNECT_SECONDS = 5
SWEEP_SECONDS, SWEEP_TURN_SECONDS = 10.0, 1.0
"""For one sweep, and for one account before the next has its turn. A call that was begun is waited for."""

BEAT_LATE_AFTER = timedelta(minutes=1)
ALARMS_KEPT = 1000  # of the ledger, that one look keeps
CHARACTERS_KNOWN = 4096  # of which a process remembers whether they are seen
BACKGROUND_IDLE_SECONDS = 2.0  # after that a thread gives its database connection back
BACKGROUND_JOBS = 10_000  # waiting in a process; the sweeps do what is over
EVENTS_BATCH_ROWS = 1000
EXPIRY_BATCH_ROWS = 5000
RETENTION_BATCH_ROWS = 5_000
STEPS_KEPT_FOR, STEPS_BATCH_ROWS, STEPS_GATHERED_SECONDS = timedelta(days=90), 5000, 0.2

# Webhooks to shops

WEBHOOK_ENDPOINTS = 16  # of a merchant in a mode
WEBHOOK_SECRET_BYTES = 32
WEBHOOK_SECRET_OVERLAP, WEBHOOK_SECRET_OVERLAP_LONGEST = timedelta(days=1), timedelta(days=7)
WEBHOOK_PORTS = (443, 8443)
WEBHOOK_SECONDS = 15.0
"""From the first question to the resolver to the last byte of the answer."""

WEBHOOK_ANSWER_BYTES, WEBHOOK_KEPT_BYTES = 64 * 1024, 1024
WEBHOOK_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=h) for h in (2, 5, 10, 14, 20, 24)),
)
"""From one attempt to the next; after the last of them it is given up."""

WEBHOOK_JITTER = 0.1
WEBHOOK_LEASE = timedelta(minutes=1)
"""When a delivery under way may be taken over: its sender has died, for an attempt takes 15 seconds at most."""

WEBHOOK_DISABLED_AFTER = timedelta(days=5)  # of failures alone
WEBHOOK_CALLS, WEBHOOK_CALLS_TO_MERCHANT, WEBHOOK_CALLS_TO_ENDPOINT, WEBHOOK_CALLS_TO_SLOW = 32, 8, 4, 16
"""At the same time, from one process. All slow endpoints together leave half of the calls to the others, and each of
them gets one.
"""

WEBHOOK_SLOW_MILLISECONDS = 2000
WEBHOOK_HANGS = timedelta(milliseconds=WEBHOOK_SLOW_MILLISECONDS) - WEBHOOK_LEASE
"""Of a call under way: past the end of its lease, which is in the future."""

WEBHOOK_POLL_SECONDS = 0.2
WEBHOOK_MAIL_AGAIN_AFTER = timedelta(hours=1)
WEBHOOK_PURGE_ROWS = 1000
MONTHS_AHEAD = 2  # whose tables are there already
MONTHS_LOCK_SECONDS = 0.5  # that making or dropping a month keeps others waiting

# Mails

MAIL_SWEEP_SECONDS = 30.0
MAIL_AGAIN_AFTER = timedelta(minutes=5)  # longer than one mail takes where every step runs into its time limit
MAIL_TRIES = 20  # most of a day
MAILS_OF_DECLINES = 3
MAIL_STOPPED_FOR = timedelta(days=180)
ADDRESS_KEPT_FOR = timedelta(days=60)  # time for the shop to refund something
ADDRESSES_PERIOD = timedelta(days=1)
ADDRESSES_OF_A_MAILBOX, ADDRESSES_OF_A_VISITOR, ADDRESSES_OF_A_REQUEST, ADDRESSES_OF_A_NETWORK = 6, 6, 12, 30
"""How often an address may be left within ADDRESSES_PERIOD."""

REMINDERS_OF_A_MAILBOX = 2  # for one request, ever
REMINDER_BEFORE_END = timedelta(hours=1)
REMINDER_MARGIN = timedelta(minutes=10)  # what is left for paying after the latest reminder

# Codes, pictures and words

TOKEN_SYMBOLS = 24  # of a link's: 138 bits
CODE_SYMBOLS = 8  # seven drawn, one to check
GUESSES_SECONDS = 600
"""In which wrong codes count together."""

GUESSES_CALM, GUESSES_SIEGE = (10, 40), (1, 4)
"""How often an address, and those of the same owner, may be wrong: usually, and while everybody is wrong a lot."""

GUESSES_MANY = 1000  # so many wrong codes from everybody are more than people mistype
PASTED_CHARACTERS = 20_000
"""How much of a pasted text is read: a whole conversation, with what it quotes."""

POSTERS_OF_A_NETWORK, POSTERS_SECONDS = 120, 600  # so many pictures for one network in so many seconds
POSTER_SECONDS = 15.0  # for one picture, the start of the process included
POSTERS_WAITING = 30

BOOKS_WAITING = 5  # settlement reports and exports that wait for another one, in a web process
BOOKS_PATIENCE_SECONDS = 50.0  # less than the minute after which proxies give up

SAFETY_WORDS = 128  # in each language's list
MARKS_OF_A_LETTER = 3  # as many as Devanagari, Arabic and Vietnamese need
LINES_OF_A_TEXT, TEXTS_KNOWN = 8, 2048  # and of how many texts a process remembers what is wrong with them
LOGO_BYTES, LOGO_PIXELS = 150 * 1024, 2048
LOGO_SIDE_PIXELS = 96  # it is shown at 32, on screens of up to three pixels a point
TEXT_CONTRAST = 4.5  # WCAG AA
PICTURE_BYTES, PICTURE_PIXELS, PICTURE_SIDE_PIXELS = 5 * 2**20, 25_000_000, 192  # of goods: fetched, and redrawn
PICTURE_SECONDS, PICTURE_DRAWING_SECONDS, PICTURE_REDIRECTS, PICTURE_LEASE = 15.0, 10.0, 3, timedelta(minutes=1)
PICTURE_DELAYS, PICTURE_AGAIN_AFTER = tuple(timedelta(minutes=it) for it in (1, 10, 60)), timedelta(hours=1)
PICTURES_AT_ONCE, PICTURE_SWEEP_SECONDS, PICTURE_PURGE_ROWS = 4, 30.0, 200
PICTURES_OF_MERCHANT, PICTURES_KEPT_FOR = 20_000, timedelta(days=180)  # after the last order that shows it

# Live pages

LIVE_CATCH_UP_SECONDS = 3.0
"""After which a change is seen at the latest, whatever became of its message."""

LIVE_GATHER_SECONDS = 0.02
"""Between two reads of first snapshots, so that a crowd after a restart costs the database little."""

LIVE_PATIENCE_SECONDS = 1.0
"""That sockets wait for Valkey, and that it is left alone after it failed."""

LIVE_CONNECTIONS = 4  # of a process to each Valkey
LIVE_SLICE_SOCKETS = 100
"""That are told at a stretch, before pages and others have their turn."""

SOCKETS_OF_A_NETWORK = 500
"""In one process. Who comes later is shown the page all the same, by asking."""

# Connections and requests to this server

LAST_CALL_SECONDS = 0.5  # that a server which ends waits for the words of who was connected already
HEADER_SECONDS, HEADER_BYTES, URL_BYTES = 10.0, 16 * 1024, 4 * 1024
CONNECTIONS, CONNECTIONS_OF_AN_ADDRESS = 1_000, 100  # sockets do not count: a crowd that looks on would shut the pages
ACCEPT_REST_SECONDS, ACCEPTED_AT_ONCE = 0.001, 64  # longer than another process needs to wake; for a crowd
ACCEPT_EVEN_TURNS, ACCEPT_WAITS, FORKS_REMEMBERED = 16, 5, 8  # then it is a crowd; so often they are left to others
ACCEPT_AGAIN_SECONDS = 1.0  # where none can be taken now
BODY_SECONDS, FILE_PIECE_BYTES = 30.0, 64 * 1024  # for a request's body to arrive in; of a file that is sent
BODY_DRAINED_BYTES = 16 * 2**20  # of one that is too large: most clients read no answer before they have sent it all
ROW_SECONDS = 2.0  # for a row that a page reads on the event loop, the wait for a connection included
PLANS_KEPT = 200  # of statements, for each connection; beyond, the one unused for longest goes
HEALTH_SECONDS = 1.0  # each of the servers we need has to answer in
GAUGE_SECONDS = 15  # for which counts what a process told of itself
SETTLED_LATELY_ROWS, SETTLED_LATELY_SECONDS = 1000, 300  # the newest notifications, which tell how money is settled
KNOCK_SECONDS, DOCTOR_SECONDS, DOCTOR_ACCOUNTS = 60, 5, 25  # its word is good for; it waits for; it asks at wallets
CLOCKS_APART_SECONDS, DATE_HEADER_SECONDS = 30.0, 3.0  # that is wrong; what a Date header is good for
OLDEST_POSTGRESQL = 15
ACCEPT_LANGUAGE_CHARACTERS = 500  # that are read
LOCALE_CHARACTERS = 10
DRAWN_PAGES_KEPT = 512  # in a process, of some 15 KB each
WAYS_TO_DRAW_KEPT = 64  # of one page: by language, screen and the wallet that comes first
FRAMES_KEPT, FRAME_CHARACTERS = 2000, 1000  # in a process, for browsers that ask in the same words, and not in more
COMPRESSED_FROM_BYTES = 200  # by GZipMiddleware
SHOPS_KEPT = 500  # that a process remembers
VISITOR_COOKIE_SECONDS = 180 * 24 * 3600
PUSH_TTL_SECONDS = 24 * 3600  # how long a push service keeps what a browser that is off cannot be told
PUSH_TOKEN_SECONDS = 12 * 3600  # a day at most, says RFC 8292
PUSH_GONE = (404, 410)  # how a push service says that a browser wants no more
PUSH_ENDPOINT_CHARACTERS = 1000
BUYER_COOKIE_SECONDS = 60 * 24 * 3600  # how long the browser that asked is known on its order's pages
SHARE_CARD_AGAIN_SECONDS = 60  # without WeChat's share card, where WeChat gave no ticket for it
SAID_SECONDS = 60  # for the next page to say what the visitor has just done
BASKET_SECONDS, BASKET_PIECES = 7 * 24 * 3600, 20  # of one kind in a basket of the demo shop

# The API

API_WINDOW_SECONDS = 10
"""The allowance of a whole window may be spent in one burst."""

COUNTERS_TIMEOUT_SECONDS, COUNTERS_PAUSE_SECONDS = 0.1, 1.0
"""How long Valkey has to answer, and is left alone after it failed to."""

COUNTERS_KEPT = 50_000
"""Names that a process counts by itself while Valkey is silent: the last ones, so that its memory is bounded."""

API_ERRORS_SHOWN = 20
API_LIST_ITEMS, API_LINE_QUANTITY = 100, 1_000_000  # at most
IDEMPOTENCY_HOURS = 24
IDEMPOTENCY_LEASE_SECONDS = 30
"""How long PostgreSQL lets a call hold its key while it is silent: the connection of a host that vanished ends then."""

PAIRING_LIFE, PAIRING_CODE_LIFE = timedelta(minutes=30), timedelta(minutes=10)  # to consent, and to redeem the code
PAIRING_CODE_SYMBOLS, PAIRINGS_KEPT_FOR = 32, timedelta(days=30)
PAIRINGS_OF_A_NETWORK, PAIRINGS_SECONDS = 20, 3600  # that it may begin, and redeem

# Secrets and allowed hosts

SECRET_SYMBOLS, SECRET_DIFFERENT, SECRET_PAIRS = 32, 10, 24  # different ones among them, and pairs of neighbours
WILDCARD_LABELS = 2  # after the dot of an allowed host
