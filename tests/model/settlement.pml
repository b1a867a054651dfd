/* One payment request, three payers, one wallet: every order in which their steps can follow each other.

   A step is what our code does without being interrupted: one transaction, or one call as the wallet sees it. Between
   any two, everything else may happen, and whoever was at work may die with all it had in memory. What is written
   here stands in `payments/settlement`; `tests/model/replay.py` runs the same steps against that code and compares.

   Amounts are in units: the request asks for AMOUNT. PARTS 1 lets several friends pay, each one unit or more.
   BUG puts in one of the mistakes that the model must find. */

#ifndef PARTS
#define PARTS 1
#endif
#ifndef BUG
#define BUG 0
#endif
#ifndef MISHAPS
#define MISHAPS 1
#endif
#ifndef PAYERS
#define PAYERS 3 /* of N, at most */
#endif
#define N 3
#define AMOUNT 2
#define FRUITLESS 2 /* so many attempts that came to nothing make a request contested */
#define NOBODY 3

mtype = { NONE, CREATED, PENDING, SUCCEEDED, CANCELLED };  /* an attempt; one that failed is as good as cancelled */
mtype = { OPEN, PAID, EXPIRED, CALLED_OFF };               /* the request */
mtype = { NOTHING, UNPAID, TAKEN, CLOSED };                /* an attempt at the wallet */
mtype = { NO_REFUND, REQUESTED, BACK };                    /* a refund */

/* What is done, for those who replay it. */
mtype = { DO_BEGIN, DO_STEP, DO_DIE, DO_REFUSED, DO_LOST_AFTER, DO_LOST_BEFORE, DO_ASK, DO_DIE_ASKING, DO_ASKED, DO_APPLIED, DO_APPLIED_AND_DIED, DO_REFUND, DO_DIE_REFUNDING, DO_REFUNDING, DO_APPROVE, DO_REFUSE, DO_NOTIFIED, DO_TIME_OVER, DO_OVER, DO_LAPSE, DO_EXPIRE, DO_CANCEL, DO_END };

/* The request. */
mtype request = OPEN;
byte paid, held, begun;
bit time_over;

/* Attempts, one of each payer; `rank` is the order in which they began. */
mtype status[N] = NONE;
byte share[N], applied[N], rank[N];
bit holds[N], closing[N], over[N], calling[N];

/* What the wallet knows, and what it has sent us: copies under way, and what we stored of them. */
mtype wallet[N] = NOTHING;
byte notices[N];
bit stored[N];

/* Refunds: of what did not fit when it came (2 * i), and of a part that counted no longer (2 * i + 1). */
mtype refund[2 * N] = NO_REFUND;
byte owed[2 * N], back[2 * N];
bit sent[2 * N];

byte mishaps = MISHAPS; /* so often may somebody die, or an answer of the wallet be lost */
bit unpaid; /* somebody who held the amount paid it, and has not paid */
byte came; /* how many payers have come; only counted for EAGER */

#define UNDECIDED(i) (status[i] == CREATED || status[i] == PENDING)
#define ROOM (AMOUNT - paid - held)
#define FRUITLESS_ONE(i) (status[i] != NONE && status[i] != SUCCEEDED && !holds[i])
#define CONTESTED (FRUITLESS_ONE(0) + FRUITLESS_ONE(1) + FRUITLESS_ONE(2) >= FRUITLESS)
#define MAY_BEGIN(units) (request == OPEN && !time_over && (PARTS -> units <= AMOUNT - paid : units == AMOUNT))

inline told(what, i) {
    printf("> %e %d | %e %d %d", what, i, request, paid, held);
    printf(" | %e %d %d %d %d", status[0], share[0], holds[0], closing[0], applied[0]);
    printf(" | %e %d %d %d %d", status[1], share[1], holds[1], closing[1], applied[1]);
    printf(" | %e %d %d %d %d", status[2], share[2], holds[2], closing[2], applied[2]);
    printf(" | %d %d %d %d %d %d", owed[0], owed[1], owed[2], owed[3], owed[4], owed[5]);
    printf(" | %d %d %d %d %d %d\n", back[0], back[1], back[2], back[3], back[4], back[5])
}

/* holds.py */

inline release(i) {
    if
    :: holds[i] -> holds[i] = 0; held = held - share[i]; rank[i] = 0
    :: else
    fi
}

/* Once it is to be closed, its time matters only where the wallet never heard of it. */
#define TIME_MATTERS(i) (!closing[i] || wallet[i] == NOTHING)

inline let_go(i) {
    if
    :: UNDECIDED(i) && !closing[i] ->
        release(i);
        closing[i] = 1;
        over[i] = (TIME_MATTERS(i) -> over[i] : 0)
    :: else
    fi
}

inline send_back(which, units) {
    refund[which] = REQUESTED; owed[which] = units
}

/* The earliest of those who hold an amount; NOBODY where none does. */
inline earliest_holder(found) {
    found = NOBODY;
    r = 1;
    do
    :: r <= N && found == NOBODY ->
        if
        :: rank[0] == r && holds[0] -> found = 0
        :: rank[1] == r && holds[1] -> found = 1
        :: rank[2] == r && holds[2] -> found = 2
        :: else
        fi;
        r++
    :: else -> break
    od;
    r = 0
}

inline latest_holder(found, but) {
    found = NOBODY;
    r = N;
    do
    :: r >= 1 && found == NOBODY ->
        if
        :: rank[0] == r && holds[0] && but != 0 -> found = 0
        :: rank[1] == r && holds[1] && but != 1 -> found = 1
        :: rank[2] == r && holds[2] && but != 2 -> found = 2
        :: else
        fi;
        r--
    :: else -> break
    od;
    r = 0
}

/* What no longer matters of one that is decided. Forgotten, two states that differ in nothing else are one. */
inline forget_time(i) {
    over[i] = 0; closing[i] = 0
}

/* lifecycle.py */

inline end_payment(i) {
    if
    :: UNDECIDED(i) -> release(i); status[i] = CANCELLED; forget_time(i)
    :: else
    fi
}

inline let_go_all() {
    let_go(0); let_go(1); let_go(2)
}

inline take_part_back(i) {
    if
    :: applied[i] > 0 -> send_back(2 * i + 1, applied[i]); applied[i] = 0
    :: else
    fi
}

inline end_request(how) {
    let_go_all();
    take_part_back(0); take_part_back(1); take_part_back(2);
    paid = 0;
    time_over = 0;
    request = how
}

inline settle(i) {
    if
    :: status[i] == SUCCEEDED
#if BUG == 5 /* a notification that comes twice counts twice */
        -> if
        :: request == OPEN -> paid = paid + share[i]; applied[i] = applied[i] + share[i]
        :: else
        fi
#endif
    :: else ->
        sure = holds[i];
        release(i);
        fits = 0;
        if
#if BUG == 6 /* nobody's money is ever applied */
        :: false
#else
        :: request == OPEN && (PARTS || share[i] == AMOUNT - paid) ->
            fits = (share[i] <= AMOUNT - paid -> share[i] : AMOUNT - paid)
#endif
        :: else
        fi;
        status[i] = SUCCEEDED;
        forget_time(i);
        applied[i] = fits;
        unpaid = unpaid || (sure && fits != share[i]);
        if
#if BUG == 4 /* money that comes too late is forgotten */
        :: fits < share[i] && request == OPEN
#else
        :: fits < share[i]
#endif
            -> send_back(2 * i, share[i] - fits)
        :: else
        fi;
        if
        :: fits ->
            paid = paid + fits;
            assert(paid <= AMOUNT);
            if
            :: paid == AMOUNT -> let_go_all(); time_over = 0; request = PAID
            :: else ->
                do
                :: paid + held > AMOUNT -> latest_holder(j, i); let_go(j)
                :: else -> break
                od;
                j = 0
            fi
        :: else
        fi;
        sure = 0; fits = 0
    fi
}

#define WHOLE(i) (status[i] != SUCCEEDED || applied[i] + owed[2 * i] + owed[2 * i + 1] == share[i])

/* What holds after every transaction. */
inline check() {
    assert(!unpaid);
    assert(paid + held <= AMOUNT);
    assert(paid == applied[0] + applied[1] + applied[2]);
    assert(request != PAID || paid == AMOUNT);
    assert(request == OPEN || request == PAID || paid == 0);
    assert(WHOLE(0) && WHOLE(1) && WHOLE(2)) /* what was taken counts, or goes back: no more of it, and no less */
}

inline mishap() {
    mishaps > 0 -> mishaps--
}

/* What the wallet answers when it is asked to close an attempt; what it has taken, it keeps. */
inline close_at_wallet(i, answer) {
    if
    :: wallet[i] == UNPAID -> wallet[i] = CLOSED; answer = CLOSED
    :: else -> answer = wallet[i]
    fi
}

/* checkout.begin: whoever is in the way is closed, the amount is held, the wallet opens the attempt. */
proctype Payer(byte i) {
    byte victim = NOBODY, missing, found, r;
    mtype answer;
    byte fits, j, first[N];
    bit sure, step_lost;

    /* begins; the payers are alike, so whoever comes first is the first. Who never comes is one who has not come before
       the request ends. */
    atomic {
        if
        :: i + 1 < PAYERS -> run Payer(i + 1)
        :: else
        fi;
#ifdef EAGER
        came++;
#endif
        if
        :: MAY_BEGIN(AMOUNT) -> share[i] = AMOUNT
#if PARTS
        :: MAY_BEGIN(1) -> share[i] = 1
#endif
        :: request != OPEN || time_over -> goto gone
        :: request == OPEN && AMOUNT == paid -> goto gone
        fi;
        missing = (share[i] > ROOM -> share[i] - ROOM : 0);
        if
        :: missing == 0 || CONTESTED -> told(DO_BEGIN, i); missing = 0
        :: else ->
            /* those who began first make room, and no more of them than must: each by its turn */
            victim = 1;
            do
            :: victim <= N && missing > 0 ->
                if
                :: rank[0] == victim && holds[0] -> first[0] = victim; missing = (missing > share[0] -> missing - share[0] : 0)
                :: rank[1] == victim && holds[1] -> first[1] = victim; missing = (missing > share[1] -> missing - share[1] : 0)
                :: rank[2] == victim && holds[2] -> first[2] = victim; missing = (missing > share[2] -> missing - share[2] : 0)
                :: else
                fi;
                victim++
            :: else -> break
            od;
            victim = NOBODY;
            if
            :: missing > 0 -> share[i] = 0; goto gone
            :: else -> told(DO_BEGIN, i)
            fi
        fi
    };

    /* closes those in the way, the earliest first */
    do
    :: atomic {
        first[0] || first[1] || first[2] ->
        if
        :: first[0] && (!first[1] || first[0] < first[1]) && (!first[2] || first[0] < first[2]) -> victim = 0
        :: first[1] && (!first[0] || first[1] < first[0]) && (!first[2] || first[1] < first[2]) -> victim = 1
        :: first[2] && (!first[0] || first[2] < first[0]) && (!first[1] || first[2] < first[1]) -> victim = 2
        fi;
        first[victim] = 0;
        close_at_wallet(victim, answer);
        told(DO_STEP, i)
       };
       if
       :: d_step {
            if
            :: answer == CLOSED -> end_payment(victim)
            :: answer == TAKEN -> settle(victim)
            :: else -> let_go(victim)
            fi;
            victim = NOBODY; answer = 0;
            told(DO_STEP, i);
            check()
          }
       :: atomic { mishap(); told(DO_DIE, i); goto gone }
       fi
    :: else -> break
    od;

    /* holds */
    atomic {
        if
        :: !MAY_BEGIN(share[i]) -> told(DO_REFUSED, i); share[i] = 0; goto gone
        :: else
        fi;
        if
        :: share[i] > ROOM && CONTESTED && share[i] <= AMOUNT - paid ->
            do
            :: share[i] > ROOM -> earliest_holder(found); release(found)
            :: else -> break
            od;
            found = 0
        :: else
        fi;
#if BUG != 1 /* an amount is held without another look at what others hold */
        if
        :: share[i] > ROOM -> told(DO_REFUSED, i); share[i] = 0; goto gone
        :: else
        fi;
#endif
        begun++;
        rank[i] = begun;
        status[i] = CREATED; holds[i] = 1; held = held + share[i]; calling[i] = 1;
        told(DO_STEP, i);
        check()
    };

    /* the wallet opens it, and its answer may be lost on either way */
    atomic {
        if
        :: wallet[i] = UNPAID; told(DO_STEP, i)
        :: mishap(); wallet[i] = UNPAID; step_lost = 1; told(DO_LOST_AFTER, i)
        :: mishap(); step_lost = 1; told(DO_LOST_BEFORE, i)
        :: mishap(); told(DO_DIE, i); calling[i] = 0; goto gone
        fi;
        calling[i] = 0
    };
    if
    :: d_step {
        if
        :: step_lost -> let_go(i)
        :: else ->
            if
            :: status[i] == CREATED -> status[i] = PENDING
            :: else
            fi
        fi;
        step_lost = 0;
        told(DO_STEP, i);
        check()
       }
    :: atomic { mishap(); told(DO_DIE, i); goto gone }
    fi;
gone:
    atomic { victim = NOBODY; missing = 0; answer = 0; first[0] = 0; first[1] = 0; first[2] = 0; step_lost = 0 }
}

/* reconcile.ask: an attempt is asked about; one whose time is over, or that nobody wants, is closed. One that is being
   opened, and that the wallet does not know yet, is asked about again later. */
#define SAYS_SOMETHING(i) (over[i] || closing[i] || wallet[i] == TAKEN || wallet[i] == CLOSED)
#define OPENING(i) (wallet[i] == NOTHING && closing[i] && !over[i])
#define ASKED_ABOUT(i) (UNDECIDED(i) && SAYS_SOMETHING(i) && !OPENING(i))
active proctype Reconciler() {
    byte i, fits, j, r;
    bit sure, closes;
    mtype answer;
    end: do
    :: atomic {
        if
        :: ASKED_ABOUT(0) -> i = 0
        :: ASKED_ABOUT(1) -> i = 1
        :: ASKED_ABOUT(2) -> i = 2
        fi;
        closes = closing[i] || over[i];
        if
        :: closes -> close_at_wallet(i, answer)
        :: else -> answer = wallet[i]
        fi;
        told(DO_ASK, i)
       };
       if
       :: atomic { mishap(); told(DO_DIE_ASKING, i); answer = 0; closes = 0; i = 0 }
       :: d_step {
            if
            :: answer == TAKEN -> settle(i)
            :: answer == CLOSED -> end_payment(i)
            :: answer == NOTHING && closes ->
                let_go(i);
                if
                :: over[i] -> end_payment(i)
                :: else
                fi
            :: else
            fi;
            told(DO_ASKED, i);
            check();
            answer = 0; closes = 0; i = 0
          }
       fi
    od
}

/* A copy of what the wallet sent arrives, and is stored. */
inline arrives(i) {
    notices[i] = notices[i] - 1; stored[i] = 1;
    told(DO_NOTIFIED, i)
}
#define ARRIVES(i) (notices[i] && !stored[i])

/* inbox: each copy is stored once and applied by a thread. Picking it up changes nothing, and what the wallet has taken
   it keeps, so this is one step, whether or not the wallet is asked once more. Nobody but this thread looks at what is
   stored: a copy that waits here is as one that is under way, so it arrives when it is applied. Only who replays traces
   wants both apart. */
active proctype Inbox() {
    byte i, fits, j, r;
    bit sure;
    end: do
    :: atomic {
        if
        :: stored[0] -> i = 0
        :: stored[1] -> i = 1
        :: stored[2] -> i = 2
#ifndef EAGER
        :: ARRIVES(0) -> i = 0; arrives(0)
        :: ARRIVES(1) -> i = 1; arrives(1)
        :: ARRIVES(2) -> i = 2; arrives(2)
#endif
        fi;
        if
        :: stored[i] = 0; settle(i); told(DO_APPLIED, i)
        :: mishap(); settle(i); told(DO_APPLIED_AND_DIED, i) /* before it was written down that it is applied */
        fi;
        check();
        i = 0
       }
    od
}

/* No refund changes what anything else does, another refund least of all, so it is enough to look at them once all else
   has ended, and at one after the other. Those who replay traces want them in between and in any order: EAGER. */
#define WANTED(which) (refund[which] == REQUESTED)
#define QUIET(i) (!UNDECIDED(i) && !stored[i] && !notices[i])
#ifdef EAGER
#define REFUNDS_RUN true
#else
#define REFUNDS_RUN (request != OPEN && QUIET(0) && QUIET(1) && QUIET(2))
#endif

/* refunds.send: asked about where an earlier try may have gone out, then sent under one number. */
active proctype Refunder() {
    byte which;
    bit known;
    end: do
    :: atomic {
        REFUNDS_RUN && (WANTED(0) || WANTED(1) || WANTED(2) || WANTED(3) || WANTED(4) || WANTED(5));
#ifdef EAGER
        if
        :: WANTED(0) -> which = 0
        :: WANTED(1) -> which = 1
        :: WANTED(2) -> which = 2
        :: WANTED(3) -> which = 3
        :: WANTED(4) -> which = 4
        :: WANTED(5) -> which = 5
        fi;
#else
        do
        :: WANTED(which) -> break
        :: else -> which++
        od;
#endif
#if BUG != 3
        known = sent[which] && back[which] > 0;
#endif
        told(DO_REFUND, which)
       };
       if
       :: known
       :: else ->
        if
        :: atomic { mishap(); told(DO_DIE_REFUNDING, which); which = 0; goto again }
        :: d_step { sent[which] = 1; told(DO_REFUNDING, which) }
        fi;
        if
        :: atomic { mishap(); told(DO_DIE_REFUNDING, which); which = 0; goto again }
        :: d_step {
#if BUG == 3 /* every try has a number of its own */
            back[which] = back[which] + owed[which];
#else
            back[which] = owed[which];
#endif
            told(DO_REFUNDING, which);
            assert(back[which] <= owed[which])
           }
        fi
       fi;
       if
       :: atomic { mishap(); told(DO_DIE_REFUNDING, which); which = 0; known = 0 }
       :: d_step { refund[which] = BACK; sent[which] = 0; told(DO_REFUNDING, which); which = 0; known = 0 }
       fi;
again:
       skip
    od
}

/* Stories that end before anybody has paid show little: chance says how many pay first, or that all are done. */
#ifdef EAGER
#define HAS_PAID(i) (wallet[i] == TAKEN)
#define ALL_DONE (came == PAYERS && begun > 0 && QUIET(0) && QUIET(1) && QUIET(2))
#define IS_LATE (HAS_PAID(0) + HAS_PAID(1) + HAS_PAID(2) >= patience || ALL_DONE)
#define MAY_BE_OVER(i) (IS_LATE || wallet[i] == NOTHING)
#else
#define IS_LATE true
#define MAY_BE_OVER(i) TIME_MATTERS(i)
#endif

/* People, the clock, the line to the wallet, and the sweeps that are one transaction each. */
active proctype World() {
    byte i, patience;
#ifdef EAGER
    if
    :: patience = 0
    :: patience = 1
    :: patience = 1
    :: patience = 2
    :: patience = 4
    fi;
#endif
    end: do
    :: atomic {
        if
        :: wallet[0] == UNPAID -> i = 0
        :: wallet[1] == UNPAID -> i = 1
        :: wallet[2] == UNPAID -> i = 2
        fi;
        if
        :: wallet[i] = TAKEN; notices[i] = 0; told(DO_APPROVE, i)
        :: wallet[i] = TAKEN; notices[i] = 1; told(DO_APPROVE, i)
        :: wallet[i] = TAKEN; notices[i] = 2; told(DO_APPROVE, i)
        :: wallet[i] = CLOSED; told(DO_REFUSE, i)
        fi;
        i = 0
       }
#ifdef EAGER
    :: atomic {
        if
        :: ARRIVES(0) -> i = 0
        :: ARRIVES(1) -> i = 1
        :: ARRIVES(2) -> i = 2
        fi;
        arrives(i);
        i = 0
       }
#endif
    :: d_step { request == OPEN && !time_over && IS_LATE -> time_over = 1; told(DO_TIME_OVER, 0) }
    :: atomic {
        if
        :: UNDECIDED(0) && !over[0] && !calling[0] && MAY_BE_OVER(0) -> i = 0
        :: UNDECIDED(1) && !over[1] && !calling[1] && MAY_BE_OVER(1) -> i = 1
        :: UNDECIDED(2) && !over[2] && !calling[2] && MAY_BE_OVER(2) -> i = 2
        fi;
        over[i] = 1;
        told(DO_OVER, i);
        i = 0
       }
    :: atomic {
        if
        :: holds[0] && over[0] -> i = 0
        :: holds[1] && over[1] -> i = 1
        :: holds[2] && over[2] -> i = 2
        fi;
        let_go(i);
        told(DO_LAPSE, i);
        check();
        i = 0
       }
    :: d_step {
#if BUG == 2 /* a request ends although somebody is paying */
        request == OPEN && time_over ->
#else
        request == OPEN && time_over && held == 0 ->
#endif
        i = held;
        end_request(EXPIRED);
        told(DO_EXPIRE, 0);
        check();
        assert(i == 0);
        i = 0
       }
    :: d_step { request == OPEN && IS_LATE -> end_request(CALLED_OFF); told(DO_CANCEL, 0); check() }
    od
}

inline good_end(i) {
    assert(!UNDECIDED(i));
    assert((wallet[i] == TAKEN) == (status[i] == SUCCEEDED));
    assert(wallet[i] != TAKEN || applied[i] + back[2 * i] + back[2 * i + 1] == share[i])
}

init {
    run Payer(0);
    timeout -> d_step {
        assert(request != OPEN);
        good_end(0); good_end(1); good_end(2);
        assert(request == PAID || paid == 0);
        told(DO_END, 0)
    }
}
