<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Friendpay\WooCommerce\Core\Link;
use Friendpay\WooCommerce\Core\Order;

/** An order of WooCommerce. Everything goes by its own functions, so that it does not matter how orders are stored. */
final class WooOrder implements Order
{
    public const ID = '_friendpay_order';
    private const CHECKOUT = '_friendpay_checkout';
    private const ENDED = '_friendpay_ended';
    private const TOLD = '_friendpay_told';

    public function __construct(private readonly \WC_Order $order)
    {
    }

    public function id(): int
    {
        return (int) $this->order->get_id();
    }

    public function number(): string
    {
        return (string) $this->order->get_order_number();
    }

    public function currency(): string
    {
        return $this->order->get_currency();
    }

    public function total(): string
    {
        return (string) $this->order->get_total('edit');
    }

    public function waits(): bool
    {
        return $this->order->has_status(['on-hold', 'pending', 'failed']);
    }

    public function isPaid(): bool
    {
        return $this->order->get_date_paid() !== null;
    }

    public function paidWith(): string
    {
        return (string) $this->order->get_transaction_id();
    }

    public function refunded(): string
    {
        return (string) $this->order->get_total_refunded();
    }

    public function link(): Link
    {
        return new Link(...array_map(
            fn (string $name): string => (string) $this->order->get_meta($name),
            [self::ID, self::CHECKOUT, self::ENDED, self::TOLD],
        ));
    }

    public function remember(Link $link): void
    {
        $this->order->update_meta_data(self::ID, $link->id);
        $this->order->update_meta_data(self::CHECKOUT, $link->checkout);
        $this->order->update_meta_data(self::ENDED, $link->ended);
        $this->order->update_meta_data(self::TOLD, $link->told);
        $this->order->save();
    }

    public function hold(): void
    {
        if (!$this->order->has_status('on-hold')) {
            $this->order->update_status('on-hold', __('A friend is asked to pay.', 'friendpay-for-woocommerce'));
        }
    }

    public function confirm(string $friendpay): void
    {
        $this->order->add_order_note(__('A friend has paid.', 'friendpay-for-woocommerce'));
        $this->order->payment_complete($friendpay);
    }

    public function giveUp(string $why): void
    {
        $this->order->update_status('cancelled', $why === 'expired'
            ? __('No friend paid in time.', 'friendpay-for-woocommerce')
            : __('Asking a friend was cancelled at friendpay.', 'friendpay-for-woocommerce'));
    }

    public function recordRefund(string $amount): void
    {
        $made = wc_create_refund([
            'order_id' => $this->id(),
            'amount' => $amount,
            'reason' => __('Refunded at friendpay.', 'friendpay-for-woocommerce'),
            'refund_payment' => false,
        ]);
        if (is_wp_error($made)) {
            (new WooShop())->log("order {$this->number()}: refund of $amount: " . $made->get_error_message());
        }
    }

    public function note(string $what, array $values = []): void
    {
        $this->order->add_order_note(match ($what) {
            /* translators: %s: number of an order at friendpay */
            'paid_twice' => sprintf(__('A friend has paid too, but this order was paid otherwise already. Give one of the two payments back (friendpay: %s).', 'friendpay-for-woocommerce'), $values['order']),
            /* translators: %s: number of an order at friendpay */
            'another_paid' => sprintf(__('A friend has paid for an earlier request of this order. Refund it at friendpay (%s).', 'friendpay-for-woocommerce'), $values['order']),
            /* translators: %s: amount */
            'amount_differs' => sprintf(__('A friend has paid %s, but the order was changed since the friend was asked. Please look at it.', 'friendpay-for-woocommerce'), $values['paid']),
            'refund_failed' => __('A refund did not reach who paid. It is still owed: friendpay\'s support desk can send it again.', 'friendpay-for-woocommerce'),
            'refund_reopened' => __('A refund came back. It is owed again: friendpay\'s support desk can send it again.', 'friendpay-for-woocommerce'),
        });
    }
}
