<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Automattic\WooCommerce\Blocks\Payments\PaymentMethodRegistry;
use Automattic\WooCommerce\Utilities\FeaturesUtil;

/** Every hook the plugin has, and what it leads to. */
final class Plugin
{
    public const METHOD = 'friendpay';
    public const SETTINGS = 'woocommerce_friendpay_settings';
    public const SWEEP = 'friendpay_sweep';
    private static string $file = '';

    public static function begin(string $file): void
    {
        self::$file = $file;
        register_activation_hook($file, [self::class, 'activate']);
        register_deactivation_hook($file, [self::class, 'deactivate']);
        add_action('before_woocommerce_init', [self::class, 'declare']);
        add_action('init', [self::class, 'translate']);
        add_action('woocommerce_loaded', [self::class, 'join']);
    }

    public static function activate(): void
    {
        if (!wp_next_scheduled(self::SWEEP)) {
            wp_schedule_event(time(), 'hourly', self::SWEEP);
        }
    }

    public static function deactivate(): void
    {
        wp_clear_scheduled_hook(self::SWEEP);
    }

    /** High-performance order storage, and the checkout of blocks. */
    public static function declare(): void
    {
        FeaturesUtil::declare_compatibility('custom_order_tables', self::$file, true);
        FeaturesUtil::declare_compatibility('cart_checkout_blocks', self::$file, true);
    }

    public static function translate(): void
    {
        $folder = dirname(plugin_basename(self::$file)) . '/languages';
        load_plugin_textdomain('friendpay-for-woocommerce', false, $folder);
    }

    public static function join(): void
    {
        add_filter('woocommerce_payment_gateways', static fn (array $known): array => [...$known, Gateway::class]);
        add_action('woocommerce_blocks_payment_method_type_registration', static function (
            PaymentMethodRegistry $registry,
        ): void {
            $registry->register(new BlocksMethod(self::$file));
        });
        add_action('rest_api_init', [Route::class, 'register']);
        add_filter('woocommerce_cancel_unpaid_order', [Holding::class, 'mayCancel'], 100, 2);
        add_action('woocommerce_order_status_changed', [Holding::class, 'changed'], 10, 4);
        foreach (['woocommerce_before_trash_order', 'woocommerce_before_delete_order', 'wp_trash_post', 'before_delete_post'] as $hook) {
            add_action($hook, [Holding::class, 'gone']);
        }
        add_action(self::SWEEP, [Holding::class, 'sweep']);
        add_action('woocommerce_thankyou_friendpay', [Showing::class, 'received']);
        add_action('woocommerce_email_before_order_table', [Showing::class, 'mail'], 10, 3);
        add_filter('woocommerce_my_account_my_orders_actions', [Showing::class, 'actions'], 10, 2);
    }
}
