<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/**
 * What an order is made of, as friendpay takes it: lines at their full price, then coupons, shipping, fees and taxes as
 * adjustments. They add up to the order's total to the minor unit, or DoesNotAddUp is thrown.
 *
 * WooCommerce rounds sums, friendpay adds what was rounded: the difference is an adjustment of its own, and may be no more
 * than half a unit for each part.
 */
final class Basket
{
    /** @var list<array<string, mixed>> */
    private array $adjustments = [];
    private int $sum = 0;
    private int $parts = 0;

    /**
     * @param array<string, mixed> $facts as `Facts` gathers them: decimals as text, without tax, each with its tax
     * @return array{currency: string, lines: list<array<string, mixed>>, adjustments: list<array<string, mixed>>, amount: int}
     */
    public static function of(array $facts): array
    {
        return (new self())->made($facts);
    }

    private function made(array $facts): array
    {
        $currency = $facts['currency'];
        $priced = $facts['prices_include_tax']; // then each part is shown with its tax, and the tax adds nothing
        $worth = fn (string $net, string $tax): int => Money::minor($currency, $net, ...($priced ? [$tax] : []));
        $lines = [];
        $discount = 0;
        foreach ($facts['lines'] as $line) {
            $amount = $worth($line['subtotal'], $line['subtotal_tax']);
            $discount += $amount - $worth($line['total'], $line['total_tax']);
            if ($amount < 0) {
                throw new DoesNotAddUp("the line '{$line['name']}' costs less than nothing");
            }
            $lines[] = array_filter([
                'name' => $line['name'],
                'quantity' => self::quantity($line['quantity']),
                'amount' => $amount,
                'category' => $line['category'],
                'image_url' => str_starts_with($line['image'], 'https://') ? $line['image'] : '',
            ], static fn (mixed $value): bool => $value !== '');
            $this->sum += $amount;
            $this->parts++;
        }
        foreach ($facts['coupons'] as $coupon) {
            $off = $worth($coupon['discount'], $coupon['discount_tax']);
            $discount -= $off;
            $this->add('discount', $coupon['name'], -$off);
        }
        if (abs($discount) > count($lines) + count($facts['coupons'])) { // a plugin's own discount, without a coupon
            $this->add($discount > 0 ? 'discount' : 'fee', $facts['discount_name'], -$discount);
        }
        foreach ($facts['shipping'] as $shipping) {
            $this->add('shipping', $shipping['name'], $worth($shipping['total'], $shipping['tax']));
        }
        foreach ($facts['fees'] as $fee) {
            $amount = $worth($fee['total'], $fee['tax']);
            $this->add($amount < 0 ? 'discount' : 'fee', $fee['name'], $amount);
        }
        foreach ($facts['taxes'] as $tax) {
            $this->add('tax', $tax['name'], Money::minor($currency, $tax['amount']), $priced);
        }
        $amount = Money::exact($currency, $facts['total']);
        $rest = $amount - $this->sum;
        if (2 * abs($rest) > $this->parts) {
            throw new DoesNotAddUp(sprintf(
                'the parts are %s, the total is %s %s',
                Money::decimal($currency, $this->sum),
                Money::decimal($currency, $amount),
                $currency,
            ));
        }
        $this->add('rounding', $facts['rounding_name'], $rest);
        return ['currency' => $currency, 'lines' => $lines, 'adjustments' => $this->adjustments, 'amount' => $amount];
    }

    private function add(string $kind, string $name, int $amount, bool $included = false): void
    {
        if ($amount === 0) {
            return;
        }
        $this->adjustments[] = ['kind' => $kind, 'name' => $name, 'amount' => $amount] + ($included ? ['included' => true] : []);
        $this->sum += $included ? 0 : $amount;
        $this->parts += $included ? 0 : 1;
    }

    /** A whole number, or a decimal as text with at most six decimals. */
    private static function quantity(string $quantity): int|string
    {
        $text = str_contains($quantity, '.') ? rtrim(rtrim($quantity, '0'), '.') : $quantity;
        return ctype_digit($text) ? (int) $text : $text;
    }
}
