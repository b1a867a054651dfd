<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

/** What becomes of an order while a friend is asked: nobody gives it up while she can still pay. */
final class Holding
{
    private const DAYS = 31; // a request lives no longer
    private const AT_ONCE = 100;

    /** WooCommerce's own time for unpaid orders is over. An order that a friend has paid is never cancelled. */
    public static function mayCancel(bool $cancel, \WC_Order $order): bool
    {
        return $cancel && Parts::settling()->mayGiveUp((int) $order->get_id());
    }

    /** By hand, by another plugin, or by another way to pay. */
    public static function changed(int $id, string $from, string $to, \WC_Order $order): void
    {
        if ($order->get_meta(WooOrder::ID) === '') {
            return;
        }
        if ($to === 'cancelled') {
            Parts::settling()->mayGiveUp($id);
        } elseif (in_array($to, wc_get_is_paid_statuses(), true)) {
            Parts::settling()->paidElsewhere($id);
        }
    }

    /** Once an hour: what no message told, because the shop did not answer for days, or could not end a request. */
    public static function sweep(): void
    {
        $found = wc_get_orders([
            'type' => 'shop_order',
            'payment_method' => Plugin::METHOD,
            'status' => ['on-hold', 'pending', 'cancelled', 'failed'],
            'date_created' => '>' . (time() - self::DAYS * DAY_IN_SECONDS),
            'limit' => self::AT_ONCE,
            'orderby' => 'modified',
            'order' => 'ASC',
        ]);
        foreach ($found as $order) {
            if ($order->get_meta(WooOrder::ID) === '' || $order->get_meta('_friendpay_ended') !== '') {
                continue;
            }
            if ($order->has_status('cancelled')) {
                Parts::settling()->mayGiveUp((int) $order->get_id());
            } else {
                Parts::settling()->look((int) $order->get_id());
            }
        }
    }
}
