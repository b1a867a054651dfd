<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

/** What an order of WooCommerce is made of, as plain texts for `Core\Basket`; and who the buyer is, and where. */
final class Facts
{
    /** @return array<string, mixed> */
    public static function of(\WC_Order $order): array
    {
        return [
            'currency' => $order->get_currency(),
            'total' => (string) $order->get_total('edit'),
            'prices_include_tax' => $order->get_prices_include_tax(),
            'lines' => self::each($order, 'line_item', static fn (\WC_Order_Item_Product $item): array => [
                'name' => $item->get_name(),
                'quantity' => (string) $item->get_quantity(),
                'subtotal' => (string) $item->get_subtotal(),
                'subtotal_tax' => (string) $item->get_subtotal_tax(),
                'total' => (string) $item->get_total(),
                'total_tax' => (string) $item->get_total_tax(),
                'category' => self::category((int) $item->get_product_id()),
                'image' => self::image($item->get_product()),
            ]),
            'coupons' => self::each($order, 'coupon', static fn (\WC_Order_Item_Coupon $item): array => [
                /* translators: %s: code of a coupon */
                'name' => sprintf(__('Coupon %s', 'friendpay-for-woocommerce'), $item->get_code()),
                'discount' => (string) $item->get_discount(),
                'discount_tax' => (string) $item->get_discount_tax(),
            ]),
            'discount_name' => __('Discount', 'friendpay-for-woocommerce'),
            'shipping' => self::each($order, 'shipping', self::priced(...)),
            'fees' => self::each($order, 'fee', self::priced(...)),
            'taxes' => self::each($order, 'tax', static fn (\WC_Order_Item_Tax $item): array => [
                'name' => $item->get_label(),
                'amount' => (string) ((float) $item->get_tax_total() + (float) $item->get_shipping_tax_total()),
            ]),
            'rounding_name' => __('Rounding', 'friendpay-for-woocommerce'),
        ];
    }

    /**
     * The basket before there is an order.
     *
     * @return array<string, mixed>
     */
    public static function ofCart(\WC_Cart $cart): array
    {
        $lines = [];
        foreach ($cart->get_cart() as $item) {
            $lines[] = [
                'name' => $item['data']->get_name(),
                'quantity' => (string) $item['quantity'],
                'subtotal' => (string) $item['line_subtotal'],
                'category' => self::category((int) $item['product_id']),
            ];
        }
        return ['total' => (string) $cart->get_total('edit'), 'lines' => $lines];
    }

    /** Steady for the whole visit, an account made at checkout included: a share of the buyers stays the same buyers. */
    public static function buyer(): string
    {
        $session = WC()->session;
        $known = (string) $session?->get('friendpay_buyer', '');
        if ($known !== '') {
            return $known;
        }
        $customer = get_current_user_id();
        $buyer = $customer > 0 ? "customer-$customer" : 'guest-' . substr((string) $session?->get_customer_id(), 0, 50);
        $session?->set('friendpay_buyer', $buyer);
        return $buyer;
    }

    public static function screen(): string
    {
        $agent = (string) ($_SERVER['HTTP_USER_AGENT'] ?? '');
        return match (true) {
            str_contains($agent, 'MicroMessenger') => 'wechatpay',
            str_contains($agent, 'AlipayClient') => 'alipay',
            wp_is_mobile() => 'phone',
            default => 'desktop',
        };
    }

    private static function each(\WC_Order $order, string $type, callable $fact): array
    {
        return array_values(array_map($fact, $order->get_items($type)));
    }

    private static function priced(\WC_Order_Item $item): array
    {
        return [
            'name' => $item->get_name(),
            'total' => (string) $item->get_total(),
            'tax' => (string) $item->get_total_tax(),
        ];
    }

    private static function category(int $product): string
    {
        $terms = get_the_terms($product, 'product_cat');
        return is_array($terms) && $terms ? (string) reset($terms)->slug : '';
    }

    private static function image(mixed $product): string
    {
        $picture = $product instanceof \WC_Product ? (int) $product->get_image_id() : 0;
        return $picture ? (string) wp_get_attachment_image_url($picture, 'woocommerce_thumbnail') : '';
    }
}
