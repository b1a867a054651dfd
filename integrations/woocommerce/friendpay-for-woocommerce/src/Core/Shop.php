<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** The shop, as far as asking a friend concerns it. */
interface Shop
{
    /** Names this shop among others that use the same key. */
    public function site(): string;

    /** As it stands now, read anew; null where there is no such order, or it never asked a friend. */
    public function order(int $id): ?Order;

    /** For whoever looks after the shop. */
    public function log(string $words): void;
}
