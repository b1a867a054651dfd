<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

/** What becomes of an order while a friend is asked: nobody gives it up while she can still pay. */
final class Holding
{
    private const DAYS = 31; // a request lives no longer
    private const SECONDS = 60;

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

    /** Deleted, or on its way there: nobody shall pay for what the shop forgets. */
    public static function gone(mixed $id): void
    {
        if (is_numeric($id)) {
            Parts::settling()->mayGiveUp((int) $id);
        }
    }

    /**
     * Once an hour: what no message told, because the shop did not answer for days, or could not end a request. Shuffled,
     * so that every order has its turn where there are more than fit into a minute.
     */
    public static function sweep(): void
    {
        $found = wc_get_orders([
            'type' => 'shop_order',
            'payment_method' => Plugin::METHOD,
            'status' => ['on-hold', 'pending', 'failed', 'cancelled'],
            'date_created' => '>' . (time() - self::DAYS * DAY_IN_SECONDS),
            'limit' => -1,
            'return' => 'ids',
        ]);
        shuffle($found);
        $end = time() + self::SECONDS;
        foreach ($found as $id) {
            $order = wc_get_order($id);
            if (time() < $end && $order && $order->has_status('cancelled')) {
                Parts::settling()->mayGiveUp((int) $id);
            } elseif (time() < $end) {
                Parts::settling()->look((int) $id);
            }
        }
    }
}
