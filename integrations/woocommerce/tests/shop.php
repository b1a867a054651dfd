<?php

/**
 * A shop without WordPress: the plugin as it is, over stand-ins for WordPress and WooCommerce, served by PHP's own server.
 * `/wp-json/…` is the plugin's route; `/test/…` does what buyers, staff and cron jobs do.
 */

declare(strict_types=1);

foreach (['store', 'wordpress', 'woocommerce', 'orders'] as $name) {
    require __DIR__ . "/fake/$name.php";
}
$path = (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$asked = str_starts_with($path, '/test/') ? (array) json_decode((string) file_get_contents('php://input'), true) : [];

require dirname(__DIR__) . '/friendpay-for-woocommerce/friendpay-for-woocommerce.php';
do_action('before_woocommerce_init');
do_action('woocommerce_loaded');
do_action('init');
do_action('rest_api_init');

$route = $routes["$_SERVER[REQUEST_METHOD] " . substr($path, strlen('/wp-json'))] ?? null;
if ($route !== null) {
    $answer = ($route['callback'])(new WP_REST_Request());
    http_response_code($answer->status);
    return;
}

function told(int $id): array
{
    return Store::read("order-$id") + [
        'notes' => Store::lines("notes-$id"),
        'confirmed' => Store::lines("confirmed-$id"),
        'refunds' => Store::read("refunds-$id", []),
        'stock' => Store::count('stock', 0),
    ];
}

function paid(int $id): array
{
    try {
        return gateway()->process_payment($id);
    } catch (Exception $error) {
        return ['result' => 'failure', 'message' => $error->getMessage()]; // as WooCommerce shows it to the buyer
    }
}

$id = (int) ($asked['id'] ?? 0);
$said = match ($path) {
    '/' => ['shop' => 'open'],
    '/test/activate' => [do_action('activate')],
    '/test/settings' => (function () use ($asked): array {
        $gateway = gateway();
        $fields = array_combine(array_map(fn ($it) => "woocommerce_friendpay_$it", array_keys($asked)), $asked);
        $gateway->set_post_data($fields);
        $gateway->process_admin_options();
        return ['errors' => Store::lines('errors'), 'secret' => get_option('friendpay_webhook_secret')];
    })(),
    '/test/stock' => ['stock' => Store::count('stock', $asked['pieces'])],
    '/test/offered' => ['offered' => gateway()->is_available(), 'title' => gateway()->title],
    '/test/blocks' => (function (): array {
        $registry = new Automattic\WooCommerce\Blocks\Payments\PaymentMethodRegistry();
        do_action('woocommerce_blocks_payment_method_type_registration', $registry);
        $method = $registry->registered[0];
        $scripts = $method->get_payment_method_script_handles();
        return ['active' => $method->is_active(), 'scripts' => $scripts, 'told' => $method->get_payment_method_data()];
    })(),
    '/test/place' => ['id' => ($order = WC_Order::create($asked['order']))->get_id(), ...paid($order->get_id())],
    '/test/pay' => paid($id),
    '/test/order' => told($id),
    '/test/change' => [Store::write("order-$id", $asked['fields'] + Store::read("order-$id"))],
    '/test/status' => [wc_get_order($id)->update_status($asked['status'])],
    '/test/unpaid' => [wc_cancel_unpaid_orders()],
    '/test/delete' => [do_action('woocommerce_before_delete_order', $id, wc_get_order($id)), Store::forget("order-$id")],
    '/test/sweep' => [do_action('friendpay_sweep')],
    '/test/refund' => (function () use ($id, $asked): array {
        $made = wc_create_refund(['order_id' => $id, 'refund_payment' => true] + $asked['refund']);
        return is_wp_error($made) ? ['error' => $made->get_error_message()] : $made;
    })(),
    '/test/received' => (function () use ($id): array {
        ob_start();
        do_action('woocommerce_thankyou_friendpay', $id);
        return ['page' => ob_get_clean()];
    })(),
    '/test/mail' => (function () use ($id): array {
        ob_start();
        do_action('woocommerce_email_before_order_table', wc_get_order($id), false, true);
        return ['mail' => ob_get_clean()];
    })(),
    '/test/declared' => ['declared' => Store::lines('declared'), 'log' => Store::lines('log')],
    '/test/uninstall' => (function (): array {
        do_action('deactivate');
        define('WP_UNINSTALL_PLUGIN', 'friendpay-for-woocommerce');
        require dirname(__DIR__) . '/friendpay-for-woocommerce/uninstall.php';
        return ['left' => array_map('basename', glob(Store::folder() . '/{option,cron}-*.json', GLOB_BRACE))];
    })(),
    default => http_response_code(404) ? [] : [],
};
header('Content-Type: application/json');
echo json_encode($said);
