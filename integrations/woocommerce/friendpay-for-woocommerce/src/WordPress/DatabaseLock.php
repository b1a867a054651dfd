<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Friendpay\WooCommerce\Core\Busy;
use Friendpay\WooCommerce\Core\Lock;

/** A named lock of MySQL or MariaDB: it ends with the connection, so a process that dies leaves nothing locked. */
final class DatabaseLock implements Lock
{
    private const SECONDS = 10;

    /** @var array<string, true> */
    private array $held = [];

    public function alone(string $name, \Closure $work): mixed
    {
        if (isset($this->held[$name])) {
            return $work();
        }
        global $wpdb;
        $whole = substr(hash('sha256', DB_NAME . $wpdb->prefix . $name), 0, 40); // names are the whole server's
        $got = $wpdb->get_var($wpdb->prepare('SELECT GET_LOCK(%s, %d)', "friendpay-$whole", self::SECONDS));
        if ((int) $got !== 1) {
            throw new Busy("$name is being worked on");
        }
        $this->held[$name] = true;
        try {
            return $work();
        } finally {
            unset($this->held[$name]);
            $wpdb->query($wpdb->prepare('SELECT RELEASE_LOCK(%s)', "friendpay-$whole"));
        }
    }
}
