<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** Nobody answered, or nobody who can: whether the call did its work is not known. The same call again is safe. */
final class NoAnswer extends \RuntimeException
{
}
