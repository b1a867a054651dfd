<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Automattic\WooCommerce\Blocks\Payments\Integrations\AbstractPaymentMethodType;

/** The same way to pay in the checkout of blocks. The gateway decides there too whether it is offered. */
final class BlocksMethod extends AbstractPaymentMethodType
{
    private const SCRIPT = 'friendpay-blocks';

    protected $name = Plugin::METHOD;

    public function __construct(private readonly string $file)
    {
    }

    public function initialize(): void
    {
        $this->settings = (array) get_option(Plugin::SETTINGS, []);
    }

    public function is_active(): bool
    {
        return $this->get_setting('enabled', 'no') === 'yes' && Settings::kept()->areWhole();
    }

    /** @return list<string> */
    public function get_payment_method_script_handles(): array
    {
        $needs = ['wc-blocks-registry', 'wc-settings', 'wp-element', 'wp-html-entities'];
        wp_register_script(self::SCRIPT, plugins_url('assets/blocks.js', $this->file), $needs, '0.1.0', true);
        return [self::SCRIPT];
    }

    /** @return array<string, mixed> */
    public function get_payment_method_data(): array
    {
        $gateway = new Gateway();
        return [
            'title' => $gateway->title,
            'description' => $gateway->description,
            'button' => $gateway->order_button_text,
            'supports' => $gateway->supports,
        ];
    }
}
