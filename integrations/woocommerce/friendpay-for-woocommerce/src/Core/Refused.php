<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** friendpay said no, and nothing was done. `problem` is its code, the message its sentence. */
final class Refused extends \RuntimeException
{
    public function __construct(public readonly int $status, public readonly string $problem, string $detail)
    {
        parent::__construct($detail ?: "$status $problem");
    }
}
