"""Every bound in krakenwire, with its reason.

A bound without a reason is a bug. Where a user may want another figure, a
setting takes it and this module holds the default.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

# -- wire ------------------------------------------------------------------

FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
"""A snapshot of all instruments is about half a megabyte; a level3 snapshot of
1,000 deep levels with many orders can reach several."""

FRAGMENTS_MAX: Final = 10_000
"""Fragments of one message; empty ones would otherwise never reach the size limit."""

HANDSHAKE_BYTES_MAX: Final = 256 * 1024
"""The HTTP answer to a WebSocket upgrade, with the page a proxy may put into it."""

REQUEST_BYTES_MAX: Final = 64 * 1024
"""What a venue accepts from a client in one frame."""

NUMBER_CHARS_MAX: Final = 64
"""Characters of one number: an unsigned 64-bit id has 20, a price under 30."""

NUMBER_EXPONENT_MAX: Final = 40
"""Largest power of ten, either sign, that is expanded to fixed point."""

# -- books -----------------------------------------------------------------

BOOK_DEPTHS: Final = (10, 25, 100, 500, 1000)
LEVEL3_DEPTHS: Final = (10, 100, 1000)
CHECKSUM_LEVELS: Final = 10
"""The venue's checksum covers the best ten levels a side, whatever the depth."""

LEVEL3_SYMBOLS_MAX: Final = 200
"""Of one connection, at the venue."""

BOOKS_MAX: Final = 4_096
"""Books of one connection; the venue lists about 1,200 instruments."""

OHLC_INTERVALS: Final = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Minutes."""

# -- connections (seconds) ---------------------------------------------------

CONNECT_ATTEMPTS_MAX: Final = 100
CONNECT_WINDOW_S: Final = 600.0
"""The venue bans an address at about 150 attempts in ten minutes; we stay under."""

CONNECT_RETRIES_AT_ONCE: Final = 3
"""A random drop may be answered with a few immediate attempts ..."""

CONNECT_PAUSE_S: Final = 5.0
"""... after that, and after an outage, no faster than this."""

CONNECT_PAUSE_MAX_S: Final = 60.0
CONNECT_TIMEOUT_S: Final = 10.0
CONNECTION_STABLE_S: Final = 30.0
"""A connection that lived this long counts as good: the next drop is a random one."""

MALFORMED_ENDS_MAX: Final = 3
"""Connections ended by an undecodable frame within the window before we stay down."""

SEND_TIMEOUT_S: Final = 5.0
"""For the peer to take a request; one that reads nothing for this long is gone."""

SILENCE_S: Final = 10.0
"""The venue sends a heartbeat each second once something is subscribed."""

REPLY_TIMEOUT_S: Final = 10.0
"""A request without a reply for this long is reported and sent again once."""

ORDERS_WAITING_MAX: Final = 1_000
"""Requests about orders that may wait for a connection or for the account's pace; more come too late anyway."""

ACCOUNT_LAG_S: Final = 1.0
"""The account is told of an order a moment before or after its reply; waited for no longer than this."""

LOOKUP_ORDERS_MAX: Final = 500
"""Orders that ended unseen and are asked of REST in one go: ten calls, for which every account's counter has room."""

LOOKUP_PAUSE_S: Final = 1.0
"""Before REST is asked again for what it did not answer, or calls open and the stream does not."""

LOOKUP_PAUSE_MAX_S: Final = 60.0
"""That pause doubles up to this: a key that may not ask costs one call a minute."""

TOKEN_RENEWAL_PAUSE_S: Final = 10.0
"""A token refused so soon after it was fetched is not renewed: the refusal has another cause."""

SNAPSHOT_TIMEOUT_S: Final = 15.0
"""After the acknowledgement a snapshot must follow; the slowest recorded took 1.3 s."""

SUBSCRIPTION_SILENCE_S: Final = 120.0
"""A book that says nothing for this long while others speak is subscribed again."""

RESYNCS_PER_MINUTE: Final = 6
"""A book that fails again and again is renewed no more often than this."""

REQUESTS_KEPT: Final = 10_000
"""Requests whose replies may still be correlated: 100 symbols each."""

CALLS_IN_FLIGHT_MAX: Final = 1_000
"""Requests about orders that wait for their answers on one connection: far more than any trading
counter lets through at once, so more of them means that nobody answers."""

FILLS_KEPT: Final = 10_000
"""Fills of an account that a client keeps and knows again; a snapshot tells the last 50."""

CLOSED_KEPT: Final = 1_000
"""Ended orders of an account that a client keeps."""

PACED_ORDERS_KEPT: Final = 10_000
"""Orders whose age a pacer knows: more than may be open; one it has forgotten counts as just placed."""

PACE_FLIGHT_S: Final = 2.0
"""A request sent this lately may not be in the counter that the venue tells."""

SWITCH_TIMEOUT_S: Final = 60
"""Of the dead man's switch, as the venue suggests; it is renewed when a third of it is over."""

SWITCH_RETRY_S: Final = 1.0
"""Before a renewal of the dead man's switch that came to nothing is sent again; each costs a point."""

PING_INTERVAL_S: Final = 20.0
"""The venue closes a connection that is idle for about a minute."""

# -- REST --------------------------------------------------------------------

REST_TIMEOUT_S: Final = 10.0
"""For one call, from its first byte to the last of its answer; the venue gives an order up after 5 s."""

REST_ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
"""The description of all pairs is above one megabyte, and grows."""

REST_CONNECTIONS_KEPT: Final = 4
"""Calls that take turns need one; those without a key may run beside it."""

REST_IDLE_S: Final = 15.0
"""A kept connection that was idle for longer is not used again: servers close theirs after 20 s or more, and a
call that meets such an end does not know whether it was read."""

REST_RATE_PAUSE_S: Final = 5.0
"""Before a page of a history is asked for again that came too soon: it costs 4 points of 15 or 20."""

REST_RATE_PAUSES_MAX: Final = 12
"""Such pauses for one page: at a third of a point a second the counter is empty after 60 s."""

CREDENTIALS_BYTES_MAX: Final = 4 * 1024
"""A key and a secret have under 200 characters."""

# -- queues ----------------------------------------------------------------

STREAM_QUEUE_EVENTS: Final = 10_000
"""Events waiting for one consumer before its policy decides."""

SEND_QUEUE_FRAMES: Final = 1_000
"""Requests waiting for a connection."""

SYMBOLS_PER_REQUEST: Final = 100
"""Symbols in one subscribe request; longer lists are cut into several."""

# -- local venue -------------------------------------------------------------

VENUE_MESSAGE_BYTES_MAX: Final = 1024 * 1024
"""From a client in one frame: above `REQUEST_BYTES_MAX` it is refused as malformed, above this
the connection is closed with code 1009, unread."""

VENUE_CONNECTIONS_MAX: Final = 1_000
VENUE_CLIENT_BACKLOG_BYTES: Final = 4 * 1024 * 1024
"""A client that has this much unread is dropped."""

VENUE_IDLE_CLOSE_S: Final = 60.0
HEARTBEAT_S: Final = 1.0

VENUE_PAIRS_PER_REQUEST_MAX: Final = 2_000
"""Pairs in one request that a venue takes: the real one lists fewer, and each causes a reply."""

VENUE_NUMBER_DIGITS_MAX: Final = 18
"""Digits before the point of a price or quantity in a request: more than any asset has units."""

VENUE_CANCELS_PER_REQUEST_MAX: Final = 1_000
"""Ids in one `cancel_order`: the real bound is not known, and each causes a reply."""

BATCH_ADD_ORDERS: Final = (2, 15)
BATCH_CANCEL_ORDERS: Final = (2, 50)
"""Fewest and most orders of a batch."""

DEADLINE_MS: Final = (500, 60_000)
"""Nearest and farthest deadline of an order."""

CANCEL_AFTER_S_MAX: Final = 86_400
"""The dead man's switch takes less than a day."""

FREE_ID_CHARS_MAX: Final = 18
"""Of a `cl_ord_id` that is neither a UUID nor 32 hex digits."""

VENUE_ECHO_CHARS_MAX: Final = 1_024
"""Of a v1 `subscription` object that is repeated in the refusal of each of its pairs."""

TAPE_ROWS_MAX: Final = 2_000_000
"""Trades of one tape, 50 MB: the busiest pair has as many in a fortnight."""

TAPE_SPEED_MAX: Final = 100_000
"""A tape faster than this is a heap."""

TRADES_KEPT: Final = 5_000
CANDLES_KEPT: Final = 720
SPREADS_KEPT: Final = 200
"""Rows of REST `Spread`."""

VENUE_CHANGES_KEPT: Final = 4_096
"""Book changes a market keeps for the views that follow it; one that fell further behind starts over."""

VENUE_RECORDS_KEPT: Final = 100_000
"""Closed orders, fills and ledger entries that the local Kraken keeps of each account, each."""

VENUE_FILLS_SHOWN: Final = 50
"""Fills of a snapshot: of `executions`, and of `ownTrades`."""

JOURNAL_RECORD_BYTES_MAX: Final = 16 * 1024 * 1024
"""Longest record of a journal; a length beyond it is damage, not a record."""

VENUE_NONCES_KEPT: Final = 65_536
"""Nonces of one key inside its window, about 7 MB at most; beyond it the lowest count as used up."""

VENUE_TOKEN_S: Final = 900.0
"""A WebSocket token may be unused for this long."""

VENUE_TOKEN_NOTE_S: Final = 10.0
"""Trading with a token lengthens its life; a kept venue writes that down no more often. After it has begun again
the token may end sooner by as much."""

VENUE_TOKENS_KEPT: Final = 1_000
"""Tokens of one account: some clients fetch one for every request."""

VENUE_NAMES_KEPT: Final = 4_096
"""Addresses and keys whose mistakes a venue remembers."""

VENUE_CATCH_UP_S: Final = 5.0
"""After a longer pause (a suspended process) the simulated market leaves the rest of it out."""

VENUE_ADVANCE_S: Final = 30
"""Of a leap of its clock, what the simulated market lives through: enough for candles and books to
move, and little enough that a client which reads is not dropped for what it is sent at once."""

VENUE_FAULT_S_MAX: Final = 86_400
"""Longest stall or delay that can be asked of a local venue."""

VENUE_LEAP_S_MAX: Final = 366 * 86_400
"""Longest leap of its clock: orders last a month at most."""

VENUE_FAULTS_MAX: Final = 1_000_000_000
"""Most frames or requests that one fault can be set for."""

VENUE_DEPOSIT_MAX: Final = 1_000_000_000_000
"""Largest deposit, units of the asset."""

VENUE_STRANGER_UNITS: Final = 1_000_000_000
"""Units of each asset that an account has which is opened on the fly, to trade against a test's own."""

# -- columns -----------------------------------------------------------------

EXPORT_FILE_ROWS: Final = 1 << 20
"""Rows of one exported file: large enough to read fast, small enough to hold in memory."""

EXPORT_WAITING_ROWS: Final = 1 << 22
"""Rows that wait for their files, all together: about 300 MB."""

IMPORT_BAD_ROWS_SHOWN: Final = 10
"""Of the rows that an import leaves out, those it shows; more only hide them."""

IMPORT_LINE_BYTES_MAX: Final = 4_096
"""Of one line of a file of trades: a longer one is another kind of file."""

IMPORT_TRADES_PER_FRAME: Final = 500
"""Trades of the same time in one frame of an imported tape; the venue's snapshot has 50."""

# -- watcher -----------------------------------------------------------------

WATCH_RULES_MAX: Final = 10_000
"""Rules of one watcher; each market event is judged by every rule of its symbol."""

WATCH_WINDOW_MAX_S: Final = 7 * 86_400
"""Longest window, cooldown or silence a rule may name."""

WATCH_WINDOW_ENTRIES: Final = 100_000
"""Prices or trades one window keeps, about 10 MB; beyond it the oldest go first, counted."""

RULES_FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Ten thousand rules with long messages fit."""

NOTIFY_QUEUE: Final = 1_000
"""Alerts waiting for one notification target; a target that hangs fills no memory."""

NOTIFY_ATTEMPTS: Final = 3
NOTIFY_PAUSE_S: Final = 1.0
"""Before the second attempt; doubled before each further one."""

NOTIFY_TIMEOUT_S: Final = 20.0
"""For one command to end; it is ended then."""

NOTIFY_GRACE_S: Final = 5.0
"""At exit, for notifications still under way."""

NOTIFY_TARGETS_MAX: Final = 64
"""Distinct notification targets of one watcher: each has a thread of its own."""

# -- tape --------------------------------------------------------------------

TAPE_SEGMENT_BYTES: Final = 64 * 1024 * 1024
"""Raw records of one segment: about 350,000 frames, a second or two of work to compress."""

TAPE_SEGMENT_S: Final = 3_600
"""A segment never spans two of these: a day has its hours apart."""

TAPE_BLOCK_BYTES: Final = 1024 * 1024
"""Payload of one compressed block, the least that is read at once; larger ones compress hardly better."""

TAPE_FLUSH_MS: Final = 50
"""Records wait no longer in memory before they are written to the open segment."""

TAPE_FLUSH_BYTES: Final = 256 * 1024
"""And no more of them."""

TAPE_PAYLOAD_BYTES_MAX: Final = 64 * 1024 * 1024
"""Longest record: above any frame; a length beyond it is damage, not a record."""

TAPE_ABOUT_BYTES_MAX: Final = 64 * 1024
"""What a tape says about itself: who recorded what from where."""

TAPE_QUEUE_RECORDS: Final = 1_000_000
TAPE_QUEUE_BYTES: Final = 256 * 1024 * 1024

"""Records of a recorder that wait for a slow disk; beyond it frames are dropped, counted, and marked as lost."""

TAPE_RENEWAL_S: Final = 10.0
"""Between two times that a recorder asks for its books anew because frames were lost: as often as resyncs, at most."""

# -- player ------------------------------------------------------------------

PLAYER_WAIT_S: Final = 10.0
"""Of a player, for a request or a connection that the recorded client made: longer than clients take to reconnect."""

PLAYER_STALL_S: Final = 60.0
"""For a client that reads nothing: the tape waits for it so long, then it is dropped, and the others go on."""

PLAYER_SETTLE_S: Final = 0.25
"""Without a new request before a tape begins: clients send theirs one after the other."""

PLAYER_ROUND_S: Final = 30.0
"""From the start of a tape: connections opened within it were one client's first, later ones followed on others."""

PLAYER_SPEED_MAX: Final = 1_000_000
"""Times faster than recorded; beyond it "max" is meant."""

PLAYER_CLIENTS_MAX: Final = 100
"""Of one player: each of them may hold it up."""

PLAYER_TRADES_KEPT: Final = 50
"""Frames of trades for a late subscriber: the venue's snapshot has fifty trades, and a frame one at least."""

PLAYER_LISTING_FRAMES: Final = 10_000
"""Instrument messages since the last snapshot; a venue sends some hundred a day."""

TAPE_LINES_MAX: Final = 100_000
"""Recorded connections of one tape that a player tells apart: a reconnect a minute for two months."""

TAPE_STREAMS_MAX: Final = 50_000
"""Channels times symbols of one tape: every pair of the venue on all channels."""
# -- bot ---------------------------------------------------------------------

BOT_CANCELS_AT_ONCE: Final = 50
"""Orders of one cancel request when a bot is stopped."""

BOT_REST_LAG_S: Final = 90.0
"""So far the venue's REST may be behind its WebSocket; a minute was seen."""

BOT_OBEY_S: Final = 0.2
"""Between two looks at what other terminals ask of a live bot, and at whether its strategy goes on."""

BOT_AUDIT_S: Final = 300.0
"""Between two audits of a live bot's balances: a few calls each, and no loss grows unseen for longer."""

BOT_SAVE_S: Final = 10
"""Between two records of a new highest equity, which may come with every sample."""

BOT_COUNTDOWN_S: Final = 5
"""For a person to think again before a live bot begins."""

BOT_ASK_S: Final = 45.0
"""For a running bot to carry out what another terminal asks: longer than it waits for its orders to be gone, twice."""
# -- reports of a bot's runs ---------------------------------------------------

REPORT_RATIO_S: Final = 86_400
"""Below a day, hours of one market mood would be blown up to a year: no Sharpe, no Sortino."""

REPORT_RATIO_RETURNS: Final = 30
"""Fewer returns tell next to nothing of their spread."""

REPORT_ANNUALISED_S: Final = 7 * 86_400
"""Below a week, compounding a return to a year invents a number."""

REPORT_POINTS: Final = 4_000
"""Drawn points of one line: more than a screen is wide, extremes kept; all plots of ten symbols stay in a few MB."""

REPORT_MARKERS: Final = 2_000
"""Drawn fills of one side of one symbol, extremes kept."""

REPORT_TABLE_ROWS: Final = 200
"""Rows of a table in a page; Parquet has all of them."""

SWEEP_RUNS_MAX: Final = 100_000
"""Combinations times parts of one sweep: a grid typed wrongly is told before it runs for a week."""

BOT_CANDLE_S_MAX: Final = 31 * 86_400
"""A month: the venue's own longest interval is half of it."""

BOT_HISTORY_CANDLES: Final = 1_000
"""Closed candles kept for indicators, of each symbol and interval: 48 kB twice."""

BOT_MARKET_RESERVE: Final = Decimal("1.01")
"""What is held for an order to buy at the market, as a share of the best ask: it may walk up the book."""

BOT_SAMPLE_S: Final = 1
BOT_SAMPLES_MAX: Final = 100_000
"""Equity is sampled each second, or so seldom that a whole run has no more samples: a day has 86,400 seconds."""

BOT_SLOW_CALLBACK_MS: Final = 50
"""A callback that takes longer than this on a real clock is noted: several frames of a busy book come in the time."""

BOT_CONFIG_BYTES_MAX: Final = 1024 * 1024
"""A configuration of a bot is some dozen lines."""

BOT_WAITING_EVENTS_MAX: Final = 200_000
"""Market events that wait for a strategy, about 100 MB: minutes of a busy feed. Beyond it they are dropped."""

BOT_LATE_MS: Final = 100
BOT_LATE_EVENTS: Final = 2_000
"""Market events wait longer, or more of them do: a strategy is called for each symbol's newest book only."""

BOT_SLICE_ROWS: Final = 512
"""Rows of the market between two looks for urgent calls: well under a millisecond where the strategy is not called."""

BOT_CLOSING_S: Final = 10.0
"""For the market's answers to the cancels at a bot's end; the dead man's switch does what is left."""

BOT_FEED_START_S: Final = 30.0
"""For the instruments and the first books of a feed: a connection and three answers take a second or two."""

BOT_STATUS_EVERY_S: Final = 0.25
"""Between two statuses: as often as a person can read, and little beside a strategy."""

BOT_STATUS_NOTES: Final = 8
BOT_STATUS_FILLS: Final = 20
"""Notes and fills that a status shows: what fits on a screen."""

BOT_SKEW_TRADES: Final = 20
"""Latest batches of trades that our clock is compared by; the quickest of them counts, so delays do not."""

BOT_SKEW_TRADES_MIN: Final = 3
"""Before that many, one delayed trade would look like a wrong clock."""
BOT_VIEW_ROWS_WAITING_MAX: Final = 100_000
"""Rows of a run that wait to be written where somebody reads too slowly, about 50 MB; more are left out, and told."""

BOT_VIEW_LOG_LINES: Final = 500
"""Notes that a screen keeps: more than any terminal has lines."""
SWEEP_MAPS: Final = 64
"""Heat maps on one page: beyond it nobody looks, and the table has all."""
