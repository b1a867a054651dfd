<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Automattic\WooCommerce\Caches\OrderCache;
use Friendpay\WooCommerce\Core\Order;
use Friendpay\WooCommerce\Core\Shop;

/** WooCommerce as the plain parts know it. */
final class WooShop implements Shop
{
    public function site(): string
    {
        return untrailingslashit(home_url());
    }

    /** Read anew: another process may have changed it since this one read it. */
    public function order(int $id): ?Order
    {
        self::forget($id);
        $order = wc_get_order($id);
        $ours = $order instanceof \WC_Order && !$order instanceof \WC_Order_Refund;
        return $ours && ($order->get_payment_method() === Plugin::METHOD || $order->get_meta(WooOrder::ID) !== '')
            ? new WooOrder($order)
            : null;
    }

    public function log(string $words): void
    {
        wc_get_logger()->warning($words, ['source' => 'friendpay']);
    }

    private static function forget(int $id): void
    {
        wc_get_container()->get(OrderCache::class)->remove($id);
        wp_cache_delete(\WC_Order::generate_meta_cache_key($id, 'orders'), 'orders');
        wp_cache_delete("order-items-$id", 'orders');
        clean_post_cache($id);
    }
}
