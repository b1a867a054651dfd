<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** Refunds from the shop's own desk, whole and in part. */
final class Refunding
{
    public function __construct(
        private readonly Friendpay $friendpay,
        private readonly Shop $shop,
        private readonly Lock $lock,
    ) {
    }

    /**
     * Sends the amount back to who paid. WooCommerce has written the refund down by now, and takes it out again when this
     * throws; so the reference is made of what was refunded before and of the amount: the same refund tried again, its
     * first answer lost, is the same refund.
     *
     * @throws NoAnswer|Refused|Busy|DoesNotAddUp
     */
    public function refund(int $id, string $amount, string $reason): void
    {
        $this->lock->alone("order-$id", function () use ($id, $amount, $reason): void {
            $order = $this->shop->order($id) ?? throw new \LogicException("no order $id");
            $minor = Money::exact($order->currency(), $amount);
            $before = Money::minor($order->currency(), $order->refunded()) - $minor;
            $reference = 'wc-' . substr(hash('sha256', $this->shop->site()), 0, 12) . "-$id-$before-$minor";
            $body = ['amount' => $minor, 'merchant_reference' => $reference] + ($reason === '' ? [] : ['reason' => $reason]);
            try {
                $this->friendpay->post("/orders/{$order->link()->id}/refunds", $body, $reference);
            } catch (Refused $refused) {
                if ($refused->problem !== 'reference_used') { // that one it is
                    throw $refused;
                }
            }
        });
    }
}
