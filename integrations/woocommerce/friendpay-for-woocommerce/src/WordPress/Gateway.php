<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Friendpay\WooCommerce\Core\Basket;
use Friendpay\WooCommerce\Core\Busy;
use Friendpay\WooCommerce\Core\DoesNotAddUp;
use Friendpay\WooCommerce\Core\Money;
use Friendpay\WooCommerce\Core\NoAnswer;
use Friendpay\WooCommerce\Core\Receiving;
use Friendpay\WooCommerce\Core\Refused;

/** "Ask a friend to pay" as a way to pay in WooCommerce: at checkout, in the settings, and for refunds. */
final class Gateway extends \WC_Payment_Gateway
{
    private const REMEMBERED = 60; // seconds for which an offer holds for the same basket

    public function __construct()
    {
        $this->id = Plugin::METHOD;
        $this->method_title = 'friendpay';
        $this->method_description = __('The buyer asks a friend to pay, by a link, a QR code or a short code.', 'friendpay-for-woocommerce');
        $this->has_fields = false;
        $this->supports = ['products', 'refunds'];
        $this->init_form_fields();
        $this->init_settings();
        $this->title = $this->get_option('title') ?: __('Ask a friend to pay', 'friendpay-for-woocommerce');
        $this->description = __('You get a link to send. Your order is kept for you until your friend has paid.', 'friendpay-for-woocommerce');
        $this->order_button_text = __('Ask a friend to pay', 'friendpay-for-woocommerce');
        add_action("woocommerce_update_options_payment_gateways_$this->id", [$this, 'process_admin_options']);
    }

    public function init_form_fields(): void
    {
        $this->form_fields = [
            'enabled' => [
                'title' => __('Ask a friend to pay', 'friendpay-for-woocommerce'),
                'type' => 'checkbox',
                'label' => __('Offer it at checkout', 'friendpay-for-woocommerce'),
                'default' => 'no',
            ],
            'address' => [
                'title' => __('Address of friendpay', 'friendpay-for-woocommerce'),
                'type' => 'text',
                'placeholder' => 'https://pay.example',
                'default' => '',
            ],
            'key' => [
                'title' => __('Key', 'friendpay-for-woocommerce'),
                'type' => 'password',
                'description' => __('With the rights to read, to write and to refund. A key that begins with sk_test_ moves no real money.', 'friendpay-for-woocommerce'),
                'default' => '',
            ],
            'hours' => [
                'title' => __('Hours that an order is kept', 'friendpay-for-woocommerce'),
                'type' => 'number',
                'custom_attributes' => ['min' => '1', 'max' => '720'],
                'default' => '24',
            ],
            'title' => [
                'title' => __('Title', 'friendpay-for-woocommerce'),
                'type' => 'text',
                'description' => __('Empty: in the buyer\'s language.', 'friendpay-for-woocommerce'),
                'default' => '',
            ],
        ];
    }

    /** Saves, and has friendpay tell this shop what happens: its address there, and the secret that proves it. */
    public function process_admin_options()
    {
        $before = Settings::kept();
        $saved = parent::process_admin_options();
        $now = Settings::kept();
        if ($now->address === '' || $now->key === '') {
            return $saved;
        }
        try {
            $this->connect($now, $before);
        } catch (NoAnswer | Refused $error) {
            /* translators: %s: what went wrong */
            $words = sprintf(__('friendpay could not be reached with this address and key: %s', 'friendpay-for-woocommerce'), $error->getMessage());
            \WC_Admin_Settings::add_error($words);
        }
        return $saved;
    }

    /** What friendpay says of this basket and this buyer; not at all where it does not answer. */
    public function is_available()
    {
        if (!parent::is_available() || !Settings::kept()->areWhole()) {
            return false;
        }
        $currency = get_woocommerce_currency();
        $order = absint(get_query_var('order-pay'));
        $paying = $order ? wc_get_order($order) : null;
        if ($paying instanceof \WC_Order) {
            $basket = ['total' => (string) $paying->get_total('edit'), 'lines' => Facts::of($paying)['lines']];
            $currency = $paying->get_currency();
        } elseif (WC()->cart) {
            $basket = Facts::ofCart(WC()->cart);
        } else {
            return true; // where nobody is buying, such as a list of the shop's ways to pay
        }
        $amount = Money::minor($currency, $basket['total']);
        return $amount > 0 && $this->offered($currency, $amount, $basket['lines']);
    }

    /**
     * Asks a friend, keeps the order, and leads the buyer to the page with the link. An exception's words are shown to her,
     * and she may choose another way to pay.
     */
    public function process_payment($order_id)
    {
        $order = wc_get_order($order_id);
        try {
            $body = Basket::of(Facts::of($order)) + [
                'buyer' => ['id' => Facts::buyer(), 'name' => self::name($order)],
                'return_url' => $this->get_return_url($order),
                'locale' => determine_locale(),
                'expires_in' => Settings::kept()->hours * HOUR_IN_SECONDS,
            ];
            $page = Parts::asking()->ask((int) $order_id, $body, Facts::screen());
        } catch (NoAnswer | Refused | Busy | DoesNotAddUp $error) {
            (new WooShop())->log("order $order_id: {$error->getMessage()}");
            throw new \Exception(__('Asking a friend does not work just now. Please choose another way to pay.', 'friendpay-for-woocommerce'));
        }
        if (WC()->cart) {
            WC()->cart->empty_cart();
        }
        return ['result' => 'success', 'redirect' => $page];
    }

    public function process_refund($order_id, $amount = null, $reason = '')
    {
        try {
            Parts::refunding()->refund((int) $order_id, (string) $amount, mb_substr((string) $reason, 0, 200));
        } catch (NoAnswer | Busy $error) {
            (new WooShop())->log("order $order_id: {$error->getMessage()}");
            return new \WP_Error('friendpay', __('friendpay did not answer. Try the same refund again: it is done once.', 'friendpay-for-woocommerce'));
        } catch (Refused | DoesNotAddUp $error) {
            return new \WP_Error('friendpay', $error->getMessage());
        }
        return true;
    }

    private function connect(Settings $now, Settings $before): void
    {
        $url = Route::address();
        $body = ['url' => $url, 'events' => Receiving::EVENTS, 'description' => 'WooCommerce'];
        $endpoint = Parts::friendpay()->post('/webhook-endpoints', $body, wp_generate_uuid4());
        $moved = $now->address !== $before->address || $now->key !== $before->key;
        if (!isset($endpoint['secret']) && ($moved || $now->secret === '')) {
            $rotate = "/webhook-endpoints/{$endpoint['id']}/rotate-secret";
            $endpoint = Parts::friendpay()->post($rotate, ['overlap' => 0], wp_generate_uuid4());
        }
        if (isset($endpoint['secret'])) {
            update_option(Settings::SECRET, $endpoint['secret'], false);
        }
        $origins = Parts::friendpay()->get('/account')['shop']['return_origins'];
        $own = (string) preg_replace('~^(https?://[^/]+).*$~', '$1', home_url());
        if (!in_array($own, $origins, true)) {
            /* translators: %s: address of this shop */
            $words = sprintf(__('friendpay does not know %s yet: whoever runs friendpay has to add it to the return origins of your shop.', 'friendpay-for-woocommerce'), $own);
            \WC_Admin_Settings::add_error($words);
        }
    }

    /** @param list<array<string, string>> $lines */
    private function offered(string $currency, int $amount, array $lines): bool
    {
        $buyer = Facts::buyer();
        $screen = Facts::screen();
        $basket = ['currency' => $currency, 'amount' => $amount];
        $case = md5(serialize([$basket, $lines, $buyer, $screen, Settings::kept()]));
        $known = WC()->session?->get('friendpay_offered');
        if (is_array($known) && $known['case'] === $case && $known['at'] > time() - self::REMEMBERED) {
            return $known['offered'];
        }
        $offered = Parts::asking()->offered($basket + self::goods($currency, $lines), $buyer, determine_locale(), $screen);
        WC()->session?->set('friendpay_offered', ['case' => $case, 'at' => time(), 'offered' => $offered]);
        return $offered;
    }

    /** Lines for the shop's rules about goods; what they cost together is the amount's to say. */
    private static function goods(string $currency, array $lines): array
    {
        return ['lines' => array_map(static fn (array $line): array => array_filter([
            'name' => $line['name'],
            'quantity' => max(1, (int) $line['quantity']),
            'amount' => Money::minor($currency, $line['subtotal']),
            'category' => $line['category'],
        ], static fn (mixed $value): bool => $value !== ''), $lines)];
    }

    private static function name(\WC_Order $order): string
    {
        $first = trim($order->get_billing_first_name());
        return $first !== '' ? $first : __('A customer', 'friendpay-for-woocommerce');
    }
}
