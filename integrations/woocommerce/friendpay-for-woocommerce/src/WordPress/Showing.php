<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

/** What buyers see of it in the shop: the page after checkout, the mail, and their list of orders. */
final class Showing
{
    /** The buyer came back, in whatever state: friendpay is asked, so that she sees how it is and not how it was. */
    public static function received(int $id): void
    {
        Parts::settling()->look($id);
        $order = wc_get_order($id);
        if (!$order instanceof \WC_Order) {
            return;
        }
        [$words, $link] = match (true) {
            $order->get_date_paid() !== null => [__('Your friend has paid. Thank you!', 'friendpay-for-woocommerce'), false],
            $order->has_status('cancelled') => [__('No friend has paid. The order was cancelled.', 'friendpay-for-woocommerce'), false],
            default => [__('Your order is kept for you until a friend has paid.', 'friendpay-for-woocommerce'), true],
        };
        printf('<p class="friendpay">%s', esc_html($words));
        if ($link) {
            printf(' <a href="%s">%s</a>', esc_url(self::page($order)), esc_html(self::label()));
        }
        echo '</p>';
    }

    public static function mail(\WC_Order $order, bool $toAdmin, bool $plain = false): void
    {
        if ($toAdmin || !self::waits($order)) {
            return;
        }
        $words = __('Your order is kept for you until a friend has paid.', 'friendpay-for-woocommerce');
        echo $plain
            ? esc_html($words) . "\n" . esc_url_raw(self::page($order)) . "\n\n"
            : sprintf('<p>%s <a href="%s">%s</a></p>', esc_html($words), esc_url(self::page($order)), esc_html(self::label()));
    }

    /**
     * @param array<string, array<string, string>> $actions
     * @return array<string, array<string, string>>
     */
    public static function actions(array $actions, \WC_Order $order): array
    {
        return self::waits($order)
            ? $actions + ['friendpay' => ['url' => self::page($order), 'name' => self::label()]]
            : $actions;
    }

    private static function waits(\WC_Order $order): bool
    {
        return $order->get_payment_method() === Plugin::METHOD && $order->has_status('on-hold') && self::page($order) !== '';
    }

    private static function page(\WC_Order $order): string
    {
        return (string) $order->get_meta('_friendpay_checkout');
    }

    private static function label(): string
    {
        return __('Ask a friend, and see how it stands', 'friendpay-for-woocommerce');
    }
}
