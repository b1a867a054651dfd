<?php
/**
 * Plugin Name: friendpay for WooCommerce
 * Description: Ask a friend to pay: the buyer sends a link, a friend pays with the wallet she already has.
 * Version: 0.1.0
 * Requires at least: 6.5
 * Requires PHP: 8.1
 * Requires Plugins: woocommerce
 * WC requires at least: 8.2
 * WC tested up to: 9.2
 * Author: friendpay
 * License: Apache-2.0
 * Text Domain: friendpay-for-woocommerce
 * Domain Path: /languages
 */

declare(strict_types=1);

defined('ABSPATH') || exit;

spl_autoload_register(static function (string $class): void {
    $name = 'Friendpay\\WooCommerce\\';
    if (str_starts_with($class, $name)) {
        $file = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, strlen($name))) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});

Friendpay\WooCommerce\WordPress\Plugin::begin(__FILE__);
