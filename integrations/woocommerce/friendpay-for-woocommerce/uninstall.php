<?php

/** Deleted in the list of plugins: settings and secrets go. Orders keep what they remember, for whoever refunds them. */

declare(strict_types=1);

defined('WP_UNINSTALL_PLUGIN') || exit;

delete_option('woocommerce_friendpay_settings');
delete_option('friendpay_webhook_secret');
wp_clear_scheduled_hook('friendpay_sweep');
