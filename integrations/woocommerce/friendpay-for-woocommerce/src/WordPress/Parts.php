<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Friendpay\WooCommerce\Core\Asking;
use Friendpay\WooCommerce\Core\Friendpay;
use Friendpay\WooCommerce\Core\Receiving;
use Friendpay\WooCommerce\Core\Refunding;
use Friendpay\WooCommerce\Core\Settling;

/** Puts the plain parts together with those of WordPress. */
final class Parts
{
    private static ?DatabaseLock $lock = null;

    public static function asking(): Asking
    {
        return new Asking(self::friendpay(), new WooShop(), self::lock(), self::settling());
    }

    public static function settling(): Settling
    {
        return new Settling(self::friendpay(), new WooShop(), self::lock());
    }

    public static function refunding(): Refunding
    {
        return new Refunding(self::friendpay(), new WooShop(), self::lock());
    }

    public static function receiving(): Receiving
    {
        return new Receiving(self::settling(), new WooShop(), Settings::kept()->secret);
    }

    public static function friendpay(): Friendpay
    {
        $settings = Settings::kept();
        $pause = static fn (float $seconds) => usleep((int) ($seconds * 1_000_000));
        return new Friendpay(new WpTransport(), $settings->address, $settings->key, $pause);
    }

    /** One for all, so that who is in goes on. */
    private static function lock(): DatabaseLock
    {
        return self::$lock ??= new DatabaseLock();
    }
}
