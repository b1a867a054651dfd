<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** Somebody else is at work on the same order; come back. */
final class Busy extends \RuntimeException
{
}
