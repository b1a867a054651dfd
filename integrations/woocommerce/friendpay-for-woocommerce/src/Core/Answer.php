<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** What friendpay said to a call. */
final class Answer
{
    public function __construct(public readonly int $status, public readonly string $body)
    {
    }
}
