<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** WooCommerce's decimals as friendpay's whole minor units, and back. No float is ever added up. */
final class Money
{
    private const WITHOUT_DECIMALS = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF';
    private const WITH_THREE = 'BHD IQD JOD KWD LYD OMR TND';
    private const MICRO = 6; // WooCommerce keeps six decimals where it does not round

    public static function exponent(string $currency): int
    {
        return match (true) {
            in_array($currency, explode(' ', self::WITHOUT_DECIMALS), true) => 0,
            in_array($currency, explode(' ', self::WITH_THREE), true) => 3,
            default => 2,
        };
    }

    /** Of one decimal, or of several added before they are rounded (half away from zero, as WooCommerce does). */
    public static function minor(string $currency, string|int|float ...$decimals): int
    {
        $unit = 10 ** (self::MICRO - self::exponent($currency));
        $micro = array_sum(array_map(self::micro(...), $decimals));
        return intdiv(abs($micro) + intdiv($unit, 2), $unit) * ($micro <=> 0);
    }

    /** Refused where the currency has no such coin. */
    public static function exact(string $currency, string|int|float $decimal): int
    {
        $minor = self::minor($currency, $decimal);
        if ($minor * 10 ** (self::MICRO - self::exponent($currency)) !== self::micro($decimal)) {
            throw new DoesNotAddUp("$decimal $currency is no whole number of its smallest unit");
        }
        return $minor;
    }

    /** As WooCommerce takes it: "45.00". */
    public static function decimal(string $currency, int $minor): string
    {
        $exponent = self::exponent($currency);
        $digits = str_pad((string) abs($minor), $exponent + 1, '0', STR_PAD_LEFT);
        $whole = substr($digits, 0, strlen($digits) - $exponent);
        $part = $exponent ? '.' . substr($digits, -$exponent) : '';
        return ($minor < 0 ? '-' : '') . $whole . $part;
    }

    private static function micro(string|int|float $decimal): int
    {
        $text = is_float($decimal) ? number_format($decimal, self::MICRO, '.', '') : trim((string) $decimal);
        if (!preg_match('/^(-?)(\d{1,12})(?:\.(\d*))?$/', $text === '' ? '0' : $text, $parts)) {
            throw new DoesNotAddUp("'$text' is no amount");
        }
        $behind = substr(str_pad($parts[3] ?? '', self::MICRO, '0'), 0, self::MICRO); // cut: rounded once, not twice
        $micro = (int) ($parts[2] . $behind);
        return $parts[1] === '-' ? -$micro : $micro;
    }
}
