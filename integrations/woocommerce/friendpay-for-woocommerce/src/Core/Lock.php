<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** One at a time, in all of the shop's processes. */
interface Lock
{
    /**
     * Does the work alone among all who name the same. Who is in already goes on.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     * @throws Busy when others were at it for too long
     */
    public function alone(string $name, \Closure $work): mixed;
}
