<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** An order of the shop's. Everything it does is saved when it returns. */
interface Order
{
    public function id(): int;

    /** What buyers know it by. */
    public function number(): string;

    public function currency(): string;

    public function total(): string;

    /** Whether it still waits for its money: on hold, or not even that. */
    public function waits(): bool;

    public function isPaid(): bool;

    /** The transaction it was paid with; "" where none is known. */
    public function paidWith(): string;

    public function refunded(): string;

    public function link(): Link;

    public function remember(Link $link): void;

    /** A friend is asked: kept, with its stock, until she has paid or time is over. A repeat does nothing. */
    public function hold(): void;

    /** Paid, by this order of friendpay's. */
    public function confirm(string $friendpay): void;

    /** Over without money: cancelled, and its stock is free. `$why` is expired or cancelled. */
    public function giveUp(string $why): void;

    /** Money that went back without the shop's doing. */
    public function recordRefund(string $amount): void;

    /**
     * For the shop's staff, in its language: paid_twice, amount_differs, another_paid, refund_failed, refund_reopened.
     *
     * @param array<string, string> $values
     */
    public function note(string $what, array $values = []): void;
}
