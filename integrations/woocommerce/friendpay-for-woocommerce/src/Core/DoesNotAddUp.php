<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** Sums that friendpay would show otherwise than the shop's receipt: nobody is asked to pay them. */
final class DoesNotAddUp extends \RuntimeException
{
}
