<?php

/**
 * A stand-in for WooCommerce: what the plugin touches of it, behaving as WooCommerce documents it (statuses and their
 * hooks, stock, refunds, its own time for unpaid orders). None of its code is WooCommerce's.
 */

declare(strict_types=1);

namespace Automattic\WooCommerce\Utilities {
    final class FeaturesUtil
    {
        public static function declare_compatibility(string $feature, string $file, bool $fits = true): bool
        {
            \Store::append('declared', $feature . ($fits ? '' : ' not'));
            return true;
        }
    }
}

namespace Automattic\WooCommerce\Caches {
    final class OrderCache
    {
        public function remove(int $id): bool
        {
            return true;
        }
    }
}

namespace Automattic\WooCommerce\Blocks\Payments {
    final class PaymentMethodRegistry
    {
        /** @var list<Integrations\AbstractPaymentMethodType> */
        public array $registered = [];

        public function register(Integrations\AbstractPaymentMethodType $method): bool
        {
            $method->initialize();
            $this->registered[] = $method;
            return true;
        }
    }
}

namespace Automattic\WooCommerce\Blocks\Payments\Integrations {
    abstract class AbstractPaymentMethodType
    {
        protected $name = '';
        protected $settings = [];

        abstract public function initialize();

        protected function get_setting(string $name, mixed $otherwise = ''): mixed
        {
            return $this->settings[$name] ?? $otherwise;
        }
    }
}

namespace {
    use Automattic\WooCommerce\Caches\OrderCache;

    final class FakeContainer
    {
        public function get(string $class): object
        {
            return new OrderCache();
        }
    }

    function wc_get_container(): FakeContainer
    {
        return new FakeContainer();
    }

    /** @return list<string> */
    function wc_get_is_paid_statuses(): array
    {
        return ['processing', 'completed'];
    }

    function get_woocommerce_currency(): string
    {
        return 'EUR';
    }

    function wc_get_logger(): object
    {
        return new class () {
            public function warning(string $words, array $context): void
            {
                \Store::append('log', $words);
            }
        };
    }

    final class FakeSession
    {
        public function get(string $name, mixed $otherwise = null): mixed
        {
            return \Store::read('session-' . $this->get_customer_id(), [])[$name] ?? $otherwise;
        }

        public function set(string $name, mixed $value): void
        {
            $name_of_all = 'session-' . $this->get_customer_id();
            \Store::write($name_of_all, [$name => $value] + \Store::read($name_of_all, []));
        }

        public function get_customer_id(): string
        {
            return 't_' . ($GLOBALS['asked']['visitor'] ?? '1');
        }
    }

    class WC_Cart
    {
        public function __construct(private readonly array $goods)
        {
        }

        public function get_cart(): array
        {
            return array_map(static fn (array $line): array => [
                'data' => new WC_Product($line['name']),
                'product_id' => 1,
                'quantity' => $line['quantity'],
                'line_subtotal' => $line['subtotal'],
            ], $this->goods['lines']);
        }

        public function get_total(string $context = 'view'): string
        {
            return $this->goods['total'];
        }

        public function empty_cart(): void
        {
            \Store::append('emptied', 'cart');
        }
    }

    class WC_Product
    {
        public function __construct(private readonly string $name)
        {
        }

        public function get_name(): string
        {
            return $this->name;
        }

        public function get_image_id(): string
        {
            return '';
        }
    }

    function WC(): object
    {
        static $it;
        $goods = $GLOBALS['asked']['cart'] ?? null;
        return $it ??= (object) ['session' => new FakeSession(), 'cart' => $goods ? new WC_Cart($goods) : null];
    }

    final class WC_Admin_Settings
    {
        public static function add_error(string $words): void
        {
            \Store::append('errors', $words);
        }
    }

    abstract class WC_Payment_Gateway
    {
        public $id = '';
        public $method_title = '';
        public $method_description = '';
        public $title = '';
        public $description = '';
        public $order_button_text = '';
        public $has_fields = false;
        public $enabled = 'no';
        public $supports = ['products'];
        public $form_fields = [];
        public $settings = [];
        private array $data = [];

        public function init_settings(): void
        {
            $defaults = array_map(static fn (array $field): string => $field['default'], $this->form_fields);
            $this->settings = (array) get_option("woocommerce_{$this->id}_settings", []) + $defaults;
            $this->enabled = $this->settings['enabled'] === 'yes' ? 'yes' : 'no';
        }

        public function get_option(string $name): string
        {
            return (string) $this->settings[$name];
        }

        public function set_post_data(array $data): void
        {
            $this->data = $data;
        }

        public function process_admin_options()
        {
            foreach ($this->form_fields as $name => $field) {
                $sent = $this->data["woocommerce_{$this->id}_$name"] ?? null;
                $this->settings[$name] = $field['type'] === 'checkbox' ? ($sent ? 'yes' : 'no') : trim((string) $sent);
            }
            return update_option("woocommerce_{$this->id}_settings", $this->settings, 'yes');
        }

        public function is_available()
        {
            return $this->enabled === 'yes';
        }

        public function get_return_url(WC_Order $order): string
        {
            return home_url() . "/checkout/order-received/{$order->get_id()}/?key={$order->get_order_key()}";
        }
    }
}
